#include "apps/resend_protection.hpp"

#include <string>
#include <utility>

#include "apps/store.hpp"
#include "idempotency_http/protected_call.hpp"
#include "net/use_task.hpp"
#include "replica/call_target.hpp"
#include "resilience/circuit_breaker.hpp"

#include <boost/asio/steady_timer.hpp>

namespace apps {

namespace {

constexpr std::size_t kMaxWaiting = 1024;
constexpr std::size_t kKeptConnections = 2;
constexpr const char* kAttempt = "cannot use the journal of intents";

registry::Call call_of(const mlflow::UpstreamClient::Question& question) {
    const std::size_t mark = question.target.find('?');
    registry::Call call;
    call.operation = *registry::find_operation("GET", question.target.substr(0, mark));
    call.method = "GET";
    call.workspace = question.workspace;
    call.query = mark == std::string::npos ? "" : question.target.substr(mark + 1);
    return call;
}

mlflow::UpstreamAnswer as_answer(http::Response response) {
    mlflow::UpstreamAnswer answer;
    answer.status = response.status;
    answer.body = std::move(response.body);
    return answer;
}

}  // namespace

RegistryQuestions::RegistryQuestions(net::Worker& worker, net::BlockingPool& pool, RegistryBehind registry)
    : worker_(worker),
      registry_(registry),
      reader_({worker, pool, [this](mlflow::UpstreamClient::Question question) { return get(std::move(question)); }},
              {}) {
    if (registry.mlflow != nullptr) {
        client_.emplace(
            worker, *registry.mlflow, "hokusai-resends", registry.mlflow->settings.connect_timeout, kKeptConnections);
    }
}

base::Task<base::Result<mlflow::UpstreamAnswer>> RegistryQuestions::get(mlflow::UpstreamClient::Question question) {
    registry::Call call = call_of(question);
    if (client_ == std::nullopt) {
        http::Response response = co_await registry_.local->calls().answer(worker_, std::move(call));
        co_return as_answer(std::move(response));
    }
    if (registry_.offline != nullptr && registry_.offline->has_any_pending()) {
        base::Result<replica::CallTarget> target = replica::target_of(call);
        if (target && registry_.offline->has_pending(target->model)) {
            base::Result<mlflow::UpstreamAnswer> answer = co_await ask_here(std::move(call), *std::move(target));
            co_return answer;
        }
        if (!is_reachable()) {
            co_return base::fail(base::Code::unavailable, "MLflow does not answer");
        }
    }
    base::Result<mlflow::UpstreamAnswer> answer = co_await client_->get(std::move(question));
    co_return answer;
}

base::Task<base::Result<mlflow::UpstreamAnswer>> RegistryQuestions::ask_here(registry::Call call,
                                                                             replica::CallTarget target) {
    std::optional<http::Response> response =
        co_await registry_.offline->answer(worker_, std::move(call), std::move(target));
    if (!response) {
        co_return base::fail(base::Code::unavailable, "the copy of MLflow's registry cannot tell");
    }
    co_return as_answer(*std::move(response));
}

bool RegistryQuestions::is_reachable() const {
    return registry_.mlflow == nullptr || registry_.mlflow->breaker.state() == resilience::BreakerState::closed;
}

base::Task<> RegistryQuestions::pause(base::Duration duration) {
    boost::asio::steady_timer timer(worker_.context());
    timer.expires_after(duration);
    co_await timer.async_wait(net::use_task);
}

idempotency::Settler::Deps RegistryQuestions::settler_deps(idempotency::IntentBook& book) {
    return {worker_,
            book,
            reader_,
            [this] { return is_reachable() || (registry_.offline != nullptr && registry_.offline->has_any_pending()); },
            [this](base::Duration duration) { return pause(duration); }};
}

void RegistryQuestions::stop() {
    if (client_) {
        client_->stop();
    }
}

ResendProtection::ResendProtection(const Deps& deps)
    : database_(or_config_error(storage::SqliteDatabase::open(database_path(deps.settings)), kAttempt)),
      journal_(*database_),
      own_pool_(deps.registry.local == nullptr ? std::make_unique<net::BlockingPool>(1, kMaxWaiting) : nullptr),
      pool_(own_pool_ ? *own_pool_ : deps.registry.local->writes()),
      registry_(deps.registry),
      book_(journal_, pool_, deps.clock, deps.metrics),
      sleeper_(deps.control),
      questions_(deps.control, pool_, registry_),
      settler_(questions_.settler_deps(book_)),
      keeper_({deps.control, book_, settler_, sleeper_}) {
    or_config_error(book_.load(), kAttempt);
}

void ResendProtection::start(net::Worker& control) {
    control.tasks().spawn("intent_keeper", keeper_.run());
}

void ResendProtection::stop() {
    keeper_.stop();
    sleeper_.wake_all();
    questions_.stop();
}

void ResendProtection::join() {
    pool_.join();
    book_.write_last();
}

ProtectedCalls::ProtectedCalls(ResendProtection& protection,
                               net::Worker& worker,
                               const auth::Pepper& pepper,
                               idempotency::ResendGuard::Forward forward,
                               bool has_stand_in)
    : questions_(worker, protection.pool_, protection.registry_),
      settler_(questions_.settler_deps(protection.book_)),
      forward_(forward),
      guard_({worker, protection.book_, settler_, pepper, std::move(forward), has_stand_in}) {}

base::Task<> ProtectedCalls::handle(http::Exchange& exchange) {
    return idempotency::is_protected(exchange.request()) ? guard_.handle(exchange) : forward_(exchange, nullptr);
}

}  // namespace apps
