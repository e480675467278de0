#include "health/report.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

namespace health {

namespace {

using resilience::BreakerState;

// CLOSED before HALF_OPEN before OPEN; among the open ones the next to be tried.
std::tuple<int, base::Duration> rank_of(const MlflowEndpoint& endpoint) {
    if (endpoint.is_open()) {
        return {2, endpoint.breaker.time_until_retry};
    }
    return {endpoint.is_half_open() ? 1 : 0, base::Duration::zero()};
}

bool is_any(const std::vector<NamedCheck>& checks, Status wanted) {
    return std::ranges::any_of(checks, [wanted](const NamedCheck& item) { return item.status == wanted; });
}

NamedCheck named(std::string_view name, const CheckFacts& check, base::MonotonicTime now) {
    return {.name = name, .status = status_of(check, now), .check = check.is_configured ? &check : nullptr};
}

}  // namespace

std::string_view to_string(Phase phase) {
    switch (phase) {
        case Phase::starting:
            return "starting";
        case Phase::serving:
            return "serving";
        case Phase::draining:
            return "draining";
    }
    return "unknown";
}

std::string_view to_string(Status status) {
    switch (status) {
        case Status::disabled:
            return "disabled";
        case Status::unknown:
            return "unknown";
        case Status::healthy:
            return "healthy";
        case Status::degraded:
            return "degraded";
        case Status::recovering:
            return "recovering";
        case Status::unhealthy:
            return "unhealthy";
    }
    return "unknown";
}

bool MlflowEndpoint::is_open() const {
    return breaker.state == BreakerState::open;
}

bool MlflowEndpoint::is_half_open() const {
    return breaker.state == BreakerState::half_open;
}

bool MlflowEndpoint::is_connected(base::MonotonicTime now) const {
    return !is_open() && check.state == CheckState::passing && !check.is_stale(now);
}

Status status_of(const CheckFacts& check, base::MonotonicTime now) {
    if (!check.is_configured) {
        return Status::disabled;
    }
    if (check.is_stale(now)) {
        return Status::degraded;
    }
    switch (check.state) {
        case CheckState::unknown:
            return Status::unknown;
        case CheckState::passing:
            return Status::healthy;
        case CheckState::failing:
            break;
    }
    return check.last_failure.kind == kDegraded ? Status::degraded : Status::unhealthy;
}

std::string trouble_of(const CheckFacts& check, base::MonotonicTime now) {
    if (!check.is_configured) {
        return "";
    }
    if (check.is_stale(now)) {
        const auto silence = now - check.checked_at.value_or(check.watched_since);
        return fmt::format("no probe result for {} s: the monitor is late or stuck",
                           std::chrono::duration_cast<std::chrono::seconds>(silence).count());
    }
    switch (check.state) {
        case CheckState::unknown:
            return "not checked yet";
        case CheckState::passing:
            return "";
        case CheckState::failing:
            break;
    }
    return check.last_failure.error.empty() ? "probe failed" : check.last_failure.error;
}

Status store_status(const StoreHealth& store, base::MonotonicTime now) {
    return status_of(store.check, now) == Status::healthy ? Status::healthy : Status::unhealthy;
}

Status status_of(const MlflowEndpoint& endpoint, base::MonotonicTime now) {
    if (endpoint.is_open()) {
        return Status::degraded;
    }
    return endpoint.is_half_open() ? Status::recovering : status_of(endpoint.check, now);
}

Status mlflow_status(const Snapshot& snapshot, base::MonotonicTime now) {
    if (snapshot.mlflow.empty()) {
        return Status::disabled;
    }
    const Status first = status_of(snapshot.mlflow.front(), now);
    const auto is = [now](Status wanted) {
        return [now, wanted](const MlflowEndpoint& endpoint) { return status_of(endpoint, now) == wanted; };
    };
    if (std::ranges::all_of(snapshot.mlflow, is(first))) {
        return first;
    }
    return std::ranges::any_of(snapshot.mlflow, is(Status::recovering)) ? Status::recovering : Status::degraded;
}

const MlflowEndpoint* leading_endpoint(const Snapshot& snapshot) {
    const auto leading = std::ranges::min_element(snapshot.mlflow, {}, rank_of);
    return leading == snapshot.mlflow.end() ? nullptr : &*leading;
}

std::vector<NamedCheck> all_checks(const Snapshot& snapshot, base::MonotonicTime now) {
    const MlflowEndpoint* leading = leading_endpoint(snapshot);
    return {
        {.name = "postgres", .status = store_status(snapshot.store, now), .check = &snapshot.store.check},
        {.name = "mlflow",
         .status = mlflow_status(snapshot, now),
         .check = leading == nullptr ? nullptr : &leading->check},
        named("redis", snapshot.redis, now),
        named("message_queue", snapshot.message_queue, now),
        named("auth", snapshot.auth, now),
        named("discovery", snapshot.discovery, now),
    };
}

Status aggregate(const Snapshot& snapshot, base::MonotonicTime now) {
    const std::vector<NamedCheck> checks = all_checks(snapshot, now);
    if (checks.front().status == Status::unhealthy) {
        return Status::unhealthy;
    }
    if (is_any(checks, Status::recovering)) {
        return Status::recovering;
    }
    const bool are_all_well = std::ranges::all_of(checks, [](const NamedCheck& item) {
        return item.status == Status::healthy || item.status == Status::disabled;
    });
    return are_all_well ? Status::healthy : Status::degraded;
}

}  // namespace health
