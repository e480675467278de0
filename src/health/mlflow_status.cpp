#include "health/mlflow_status.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>

#include "health/json_text.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

namespace health {

namespace {

using boost::json::object;
using resilience::BreakerMode;
using resilience::BreakerStatus;

std::optional<double> epoch_of(const View& view, const std::optional<base::MonotonicTime>& time) {
    if (!time) {
        return std::nullopt;
    }
    return base::to_epoch_seconds(view.wall_of(*time));
}

boost::json::value time_or_null(const View& view, const std::optional<base::MonotonicTime>& time) {
    return time ? text(base::to_naive_iso8601(view.wall_of(*time))) : boost::json::value();
}

// Counted down from the moment the breaker was read.
double seconds_until_retry(const View& view, const MlflowEndpoint& endpoint) {
    const auto passed = view.now - endpoint.breaker_read_at;
    const auto left = std::max(base::Duration::zero(), endpoint.breaker.time_until_retry - passed);
    return std::chrono::duration<double>(left).count();
}

object breaker_of(const View& view, const MlflowEndpoint& endpoint, std::string_view state) {
    const BreakerStatus& breaker = endpoint.breaker;
    const bool is_known = breaker.changed_at != base::MonotonicTime{};
    const auto changed_at = is_known ? epoch_of(view, breaker.changed_at) : std::nullopt;
    std::optional<double> since_failure;
    if (breaker.last_failure_at) {
        since_failure = view.seconds_since(*breaker.last_failure_at);
    }
    return {
        {"state", text(state)},
        {"failure_count", breaker.failure_count},
        {"consecutive_successes", breaker.consecutive_successes},
        {"recovery_attempts", breaker.recovery_attempts},
        {"last_failure_time", number_or_null(epoch_of(view, breaker.last_failure_at))},
        {"last_success_time", number_or_null(epoch_of(view, breaker.last_success_at))},
        {"time_since_last_failure", number_or_null(since_failure)},
        {"time_until_retry", seconds_until_retry(view, endpoint)},
        {"failure_threshold", breaker.failure_threshold},
        {"recovery_timeout", std::chrono::duration<double>(breaker.recovery_timeout).count()},
        {"max_recovery_attempts", breaker.max_recovery_attempts},
        {"recovery_attempts_exhausted", breaker.has_exhausted_recovery_attempts},
        {"enabled", breaker.is_enabled},
        {"mode", text(to_string(breaker.mode))},
        {"window_calls", breaker.window_calls},
        {"window_failures", breaker.window_failures},
        {"generation", breaker.generation},
        {"opened_total", breaker.opened_total},
        {"refused_total", breaker.refused_total},
        {"late_total", breaker.late_total},
        {"abandoned_total", breaker.abandoned_total},
        {"double_report_total", breaker.double_report_total},
        {"state_changed_at", number_or_null(changed_at)},
    };
}

// What the last probes add to the status object.
void add_probe_facts(const View& view, const MlflowEndpoint& endpoint, object& out) {
    const CheckFacts& check = endpoint.check;
    if (endpoint.is_open()) {
        out["can_retry_in_seconds"] = seconds_until_retry(view, endpoint);
    }
    if (check.last.passed) {
        out["response_time_ms"] = to_milliseconds(check.last.latency);
    }
    if (check.last.is_busy()) {
        out["warning"] = text(check.last.error.empty() ? "MLflow is busy" : check.last.error);
    }
    if (!check.last.passed && check.checked_at) {
        out["error_type"] = text(check.last.kind);
        out["connection_attempts"] = check.failures_in_a_row;
    }
    out["busy"] = check.last.is_busy();
    out["stale"] = check.is_stale(view.now);
}

object status_of_endpoint(const View& view, const MlflowEndpoint& endpoint) {
    const std::string_view state = to_string(endpoint.breaker.state);
    object out{
        {"circuit_breaker_state", text(state)},
        {"circuit_breaker_details", breaker_of(view, endpoint, state)},
        {"connected", endpoint.is_connected(view.now)},
        {"tracking_uri", text_or_null(endpoint.url)},
        {"connection_timeout", std::chrono::duration<double>(view.identity.probe_deadline).count()},
        {"error", text_or_null(endpoint_trouble(view, endpoint))},
        {"last_check_time", time_or_null(view, endpoint.check.checked_at)},
    };
    add_probe_facts(view, endpoint, out);
    return out;
}

}  // namespace

std::string_view mlflow_state(const View& view) {
    const MlflowEndpoint* leading = leading_endpoint(view.snapshot);
    return leading == nullptr ? "DISABLED" : to_string(leading->breaker.state);
}

object breaker_object(const View& view) {
    const MlflowEndpoint* leading = leading_endpoint(view.snapshot);
    const MlflowEndpoint none;
    return breaker_of(view, leading == nullptr ? none : *leading, mlflow_state(view));
}

object mlflow_status_object(const View& view) {
    const MlflowEndpoint* leading = leading_endpoint(view.snapshot);
    object out;
    if (leading == nullptr) {
        out = status_of_endpoint(view, MlflowEndpoint{});
        out["circuit_breaker_state"] = "DISABLED";
        out["circuit_breaker_details"] = breaker_object(view);
    } else {
        out = status_of_endpoint(view, *leading);
    }
    boost::json::array endpoints;
    for (const MlflowEndpoint& endpoint : view.snapshot.mlflow) {
        endpoints.emplace_back(status_of_endpoint(view, endpoint));
    }
    out["endpoints"] = std::move(endpoints);
    return out;
}

std::string endpoint_trouble(const View& view, const MlflowEndpoint& endpoint) {
    if (endpoint.is_open() && endpoint.breaker.mode == BreakerMode::forced_open) {
        return "Circuit breaker is OPEN - MLflow unavailable (opened by an operator, until reset)";
    }
    if (endpoint.is_open()) {
        return fmt::format("Circuit breaker is OPEN - MLflow unavailable (retry in {:.0f}s)",
                           std::ceil(seconds_until_retry(view, endpoint)));
    }
    return trouble_of(endpoint.check, view.now);
}

std::string mlflow_trouble(const View& view) {
    const MlflowEndpoint* leading = leading_endpoint(view.snapshot);
    if (leading == nullptr) {
        return "";
    }
    const std::vector<MlflowEndpoint>& all = view.snapshot.mlflow;
    const auto troubled =
        std::ranges::count_if(all, [&view](const MlflowEndpoint& one) { return !endpoint_trouble(view, one).empty(); });
    if (const auto total = std::ssize(all); troubled > 0 && troubled < total) {
        return fmt::format("{} of {} MLflow addresses cannot be used", troubled, total);
    }
    return endpoint_trouble(view, *leading);
}

std::string_view degradation_reason(const View& view) {
    const MlflowEndpoint* leading = leading_endpoint(view.snapshot);
    if (leading == nullptr) {
        return "";
    }
    if (leading->is_open()) {
        return "Circuit breaker is open - MLflow is temporarily unavailable";
    }
    return leading->is_half_open() ? "Circuit breaker is half-open - testing whether MLflow has recovered" : "";
}

http::Response mlflow_health(const View& view) {
    object body = mlflow_status_object(view);
    body["timestamp"] = text(base::to_naive_iso8601(view.wall_now));
    return json_response(mlflow_state(view) == "OPEN" ? 503 : 200, body);
}

}  // namespace health
