#include "apps/internal_mlflow.hpp"

#include <utility>

#include "base/strings.hpp"
#include "resilience/circuit_breaker.hpp"

namespace apps {

namespace {

// Longer than the gateway waits for MLflow.
constexpr auto kPatience = std::chrono::seconds(115);
constexpr std::size_t kMaxAnswer = 16UL * 1024 * 1024;

}  // namespace

base::Task<base::Result<models::ApiAnswer>> InternalMlflow::call(models::ApiCall call) {
    if (is_aborted_) {
        co_return base::fail(base::Code::cancelled, "whoever asked has gone");
    }
    http::InternalCall internal(
        paths_.worker, paths_.server, {{origin_.key_id, origin_.key_name}, origin_.peer}, paths_.handle);
    current_ = &internal;
    const std::string type = call.body.empty() ? "" : "Content-Type: application/json\r\n";
    base::Result<http::InternalAnswer> answered = co_await internal.make({.method = call.method,
                                                                          .target = std::move(call.target),
                                                                          .fields = type + origin_.fields,
                                                                          .body = std::move(call.body)},
                                                                         paths_.worker.now() + kPatience,
                                                                         kMaxAnswer);
    current_ = nullptr;
    if (!answered) {
        co_return std::unexpected(answered.error());
    }
    models::ApiAnswer answer;
    answer.status = answered->status;
    answer.body = std::move(answered->body);
    answer.retry_after = std::move(answered->retry_after);
    answer.is_copy = !answered->source.empty();
    answer.age = static_cast<unsigned>(base::parse_uint(answered->age).value_or(0));
    co_return answer;
}

void InternalMlflow::abort() {
    is_aborted_ = true;
    if (current_ != nullptr) {
        current_->abort();
    }
}

bool InternalMlflow::is_reachable() const {
    return apps::is_reachable(paths_.upstream);
}

bool is_reachable(const mlflow::Upstream* upstream) {
    return upstream == nullptr || upstream->breaker.state() == resilience::BreakerState::closed;
}

}  // namespace apps
