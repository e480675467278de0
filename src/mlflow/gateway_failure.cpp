// The parts of GatewayCall for calls that got no answer: what they mean, whether to try again, and what to say.
#include <utility>

#include "mlflow/gateway_call.hpp"
#include "resilience/backoff.hpp"
#include "telemetry/log.hpp"

namespace mlflow {

namespace {

constexpr unsigned kMaxRetries = 2;

}  // namespace

void GatewayCall::report_failure(resilience::Permit& permit, const Failure& failure) {
    using resilience::Outcome;
    if (exchange_.is_aborted() || failure.error.code == base::Code::cancelled) {
        permit.report(Outcome::cancelled, gateway_.worker_.now());
        gateway_.metrics_.cancelled.add();
        return;
    }
    if (failure.error.code == base::Code::deadline_exceeded) {
        place_->release(resilience::CallResult{.was_dropped = true});
    }
    const bool is_ours = failure.was_stale || failure.error.code == base::Code::exhausted;
    permit.report(is_ours ? Outcome::ignored : Outcome::failure, gateway_.worker_.now());
    if (!is_ours) {
        gateway_.metrics_.failures.add();
        telemetry::log_debug("mlflow_call_failed",
                             {{"request_id", exchange_.request_id()}, {"error", failure.error.message}});
    }
}

bool GatewayCall::may_retry(const Failure& failure) {
    if (!is_safe_ || failure.was_begun || exchange_.is_aborted() ||
        failure.error.code == base::Code::deadline_exceeded || failure.error.code == base::Code::cancelled) {
        return false;
    }
    if (failure.was_stale) {
        has_reopened_ = true;
        return true;
    }
    return retries_ < kMaxRetries && upstream_.retry_budget.try_spend(gateway_.worker_.now());
}

http::Response GatewayCall::unavailable(std::string_view message, base::Duration until_retry) {
    http::Response response = http::mlflow_error_response(503, "TEMPORARILY_UNAVAILABLE", message);
    const std::chrono::seconds wait = resilience::retry_after_seconds(until_retry, gateway_.worker_.random());
    response.headers.emplace_back("Retry-After", std::to_string(wait.count()));
    return response;
}

http::Response GatewayCall::out_of_reach(std::string_view message, base::Duration until_retry) {
    return unavailable(std::string(message) + "; the gateway tries MLflow in the background and goes on by itself",
                       until_retry);
}

base::Task<> GatewayCall::fail(http::Response refusal, bool may_have_been_carried_out) {
    lead_.reset();
    place_.reset();
    if (observer_ != nullptr) {
        const bool is_answered = co_await std::exchange(observer_, nullptr)->failed(refusal, may_have_been_carried_out);
        if (is_answered) {
            co_return;
        }
    }
    exchange_.answer(refusal);
}

http::Response GatewayCall::to_response(const resilience::Refusal& refusal) {
    return out_of_reach("MLflow is unavailable: " + resilience::describe(upstream_.breaker.name(), refusal),
                        refusal.retry_after);
}

base::Task<> GatewayCall::answer_failure(const Failure& failure) {
    if (exchange_.is_aborted()) {
        exchange_.close_after_answer();
        co_return;
    }
    // What MLflow may have acted on must not look as if it had not been done.
    if (failure.was_sent && !is_safe_ && call_.is_write()) {
        co_await fail(http::mlflow_error_response(504,
                                                  "DEADLINE_EXCEEDED",
                                                  "MLflow got this call, and no answer came: " + failure.error.message +
                                                      "; it may have been carried out, so look before repeating it"),
                      true);
        co_return;
    }
    co_await fail(out_of_reach("MLflow is unavailable: " + failure.error.message,
                               upstream_.breaker.status(gateway_.worker_.now()).time_until_retry),
                  false);
}

void GatewayCall::answer_broken_body(const base::Error& error) {
    exchange_.close_after_answer();
    if (error.code == base::Code::deadline_exceeded) {
        exchange_.answer(http::mlflow_error_response(408, "BAD_REQUEST", error.message));
    } else if (error.code != base::Code::cancelled) {
        exchange_.answer(http::mlflow_error_response(400, "BAD_REQUEST", error.message));
    } else {
        exchange_.abort();
    }
}

}  // namespace mlflow
