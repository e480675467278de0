#include "resilience/breaker_status.hpp"

#include <chrono>

#include <fmt/format.h>

namespace resilience {

std::string_view to_string(BreakerState state) {
    switch (state) {
        case BreakerState::closed:
            return "CLOSED";
        case BreakerState::open:
            return "OPEN";
        case BreakerState::half_open:
            return "HALF_OPEN";
    }
    return "UNKNOWN";
}

std::string_view to_string(BreakerMode mode) {
    switch (mode) {
        case BreakerMode::automatic:
            return "automatic";
        case BreakerMode::forced_open:
            return "forced_open";
        case BreakerMode::disabled:
            return "disabled";
    }
    return "unknown";
}

std::string_view to_string(RefusalReason reason) {
    switch (reason) {
        case RefusalReason::open:
            return "open";
        case RefusalReason::forced_open:
            return "forced_open";
        case RefusalReason::trial_running:
            return "trial_running";
    }
    return "unknown";
}

std::string_view to_string(TransitionCause cause) {
    switch (cause) {
        case TransitionCause::failure_count:
            return "failure_count";
        case TransitionCause::failure_rate:
            return "failure_rate";
        case TransitionCause::slow_rate:
            return "slow_rate";
        case TransitionCause::trial_due:
            return "trial_due";
        case TransitionCause::early_trial:
            return "early_trial";
        case TransitionCause::trial_succeeded:
            return "trial_succeeded";
        case TransitionCause::trial_failed:
            return "trial_failed";
        case TransitionCause::trial_expired:
            return "trial_expired";
        case TransitionCause::peer_overloaded:
            return "peer_overloaded";
        case TransitionCause::reset:
            return "reset";
        case TransitionCause::forced_open:
            return "forced_open";
        case TransitionCause::disabled:
            return "disabled";
    }
    return "unknown";
}

std::string describe(std::string_view breaker_name, const Refusal& refusal) {
    const std::string_view name = breaker_name;
    const double seconds = std::chrono::duration<double>(refusal.retry_after).count();
    switch (refusal.reason) {
        case RefusalReason::forced_open:
            return fmt::format("{}: circuit breaker was opened by an operator", name);
        case RefusalReason::trial_running:
            return fmt::format(
                "{}: circuit breaker is {}, its trial ends within {:.1f} s", name, to_string(refusal.state), seconds);
        case RefusalReason::open:
            break;
    }
    return fmt::format("{}: circuit breaker is {}, next trial in {:.1f} s", name, to_string(refusal.state), seconds);
}

}  // namespace resilience
