#include "registry_http/native_registry.hpp"

#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "registry/json.hpp"
#include "registry/operation.hpp"
#include "registry_http/error_response.hpp"
#include "telemetry/log.hpp"

namespace registry_http {

namespace {

// A call is given up or begun, never both: whoever moves it out of `waiting` decides.
enum class Stage { waiting, begun, given_up };

bool leaves_waiting(std::atomic<Stage>& stage, Stage next) {
    Stage expected = Stage::waiting;
    return stage.compare_exchange_strong(expected, next);
}

// Of a call the pool did not carry out in time.
base::Error overdue(bool has_begun, bool is_write) {
    if (has_begun && is_write) {
        return {base::Code::deadline_exceeded,
                "The model registry's disk did not answer in time; the change may have been made, so look before "
                "repeating it"};
    }
    return {base::Code::unavailable, "The model registry's disk did not answer in time; try again shortly"};
}

}  // namespace

base::Task<http::Response> NativeRegistry::answer(net::Worker& worker, registry::Call call) {
    const bool is_write = !registry::is_read(call.operation);
    const auto stage = std::make_shared<std::atomic<Stage>>(Stage::waiting);
    net::BlockingPool& pool = is_write ? writes_ : reads_;
    Outcome outcome = co_await pool.run(worker, patience_, [this, stage, call = std::move(call)]() -> Outcome {
        return leaves_waiting(*stage, Stage::begun) ? carry_out(call)
                                                    : base::fail(base::Code::cancelled, "nobody waits for it any more");
    });
    if (outcome) {
        http::Response response;
        response.body = std::move(*outcome);
        co_return response;
    }
    base::Error error = std::move(outcome.error());
    if (error.code == base::Code::exhausted) {
        error = {base::Code::unavailable, "Too many calls wait for the model registry's disk; try again shortly"};
    } else if (error.code == base::Code::deadline_exceeded) {
        error = overdue(!leaves_waiting(*stage, Stage::given_up), is_write);
    }
    co_return to_response(error);
}

// On a thread of the pool. What is thrown says nothing a caller should read.
NativeRegistry::Outcome NativeRegistry::carry_out(const registry::Call& call) {
    try {
        const base::Result<boost::json::object> answer = registry_.answer(call);
        note(answer);
        return answer ? Outcome(registry::serialize(*answer)) : Outcome(std::unexpect, answer.error());
    } catch (const std::exception& error) {
        telemetry::log_error("registry_call_failed", {{"error", error.what()}});
        return base::fail(base::Code::internal, "internal error of the model registry; its log says more");
    }
}

void NativeRegistry::note(const base::Result<boost::json::object>& answer) {
    if (!answer && answer.error().code == base::Code::data_loss) {
        telemetry::log_error("registry_data_damaged", {{"error", answer.error().message}});
        return;
    }
    const bool is_failing = !answer && answer.error().code == base::Code::unavailable;
    if (is_failing == is_failing_.load(std::memory_order_relaxed) || is_failing_.exchange(is_failing) == is_failing) {
        return;
    }
    if (is_failing) {
        telemetry::log_error("registry_store_failing", {{"error", answer.error().message}});
    } else {
        telemetry::log_info("registry_store_works_again");
    }
}

}  // namespace registry_http
