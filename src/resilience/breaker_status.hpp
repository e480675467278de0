// The words of a circuit breaker: its states, the outcomes it is told, and what it tells in return.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace resilience {

enum class BreakerState { closed, open, half_open };

// How an admitted call ended. What counts as which is the caller's decision; only `success` may turn into `slow` by
// itself, when the slow-call rate is on and the call took longer than `slow_call`.
enum class Outcome {
    success,
    failure,
    slow,       // a success that took too long; fails a trial while the slow-call rate is on
    ignored,    // says nothing about the peer
    cancelled,  // the caller went away; says nothing about the peer
    overload,   // 429, or 503 with Retry-After: the peer is alive and asks for time
};

enum class BreakerMode { automatic, forced_open, disabled };

enum class RefusalReason { open, forced_open, trial_running };

enum class TransitionCause {
    failure_count,
    failure_rate,
    slow_rate,
    trial_due,
    early_trial,
    trial_succeeded,
    trial_failed,
    trial_expired,
    peer_overloaded,
    reset,
    forced_open,
    disabled,
};

// "CLOSED", "OPEN", "HALF_OPEN"
std::string_view to_string(BreakerState state);

// The enumerator's own name, for log fields and metric labels.
std::string_view to_string(BreakerMode mode);
std::string_view to_string(RefusalReason reason);
std::string_view to_string(TransitionCause cause);

// Why a call was not admitted. Small and without text, because refusing must cost almost nothing.
struct Refusal {
    BreakerState state;
    RefusalReason reason;

    // Until the next trial may start (open) or the running one must have ended (half-open). Zero when a trial is due,
    // and when forced open, where nobody knows.
    base::Duration retry_after;

    bool operator==(const Refusal&) const = default;
};

// "mlflow: circuit breaker is OPEN, next trial in 12.5 s"
std::string describe(std::string_view breaker_name, const Refusal& refusal);

// A change of state, or an operator's action that starts a new generation. Listeners of different threads may see two
// changes in either order; `generation` tells which came first.
struct Transition {
    std::string_view name;  // the breaker's; valid as long as the breaker
    BreakerState from;
    BreakerState to;
    TransitionCause cause;
    base::MonotonicTime at;
    std::uint64_t generation;  // the one that begins
};

struct BreakerStatus {
    BreakerState state;
    BreakerMode mode;
    bool is_enabled;                       // mode is not `disabled`
    std::uint32_t failure_count;           // the leaky counter
    std::uint32_t consecutive_successes;   // since the last failure, opening or reset
    std::uint32_t recovery_attempts;       // trials begun since it was last closed
    bool has_exhausted_recovery_attempts;  // at least `max_recovery_attempts` of them failed; it goes on trying
    std::optional<base::MonotonicTime> last_failure_at;
    std::optional<base::MonotonicTime> last_success_at;  // the start, until one is seen
    base::MonotonicTime changed_at;
    base::Duration time_until_retry;  // zero unless open; zero also when forced open
    std::uint32_t failure_threshold;
    base::Duration recovery_timeout;
    std::uint32_t max_recovery_attempts;
    std::uint32_t window_calls;
    std::uint32_t window_failures;
    std::uint64_t generation;
    std::uint64_t opened_total;   // entries into open, reopenings included
    std::uint64_t refused_total;  // calls of traffic
    std::uint64_t late_total;     // results of an earlier generation
    std::uint64_t abandoned_total;
    std::uint64_t double_report_total;
    std::uint64_t failures_total = 0;  // reported as such, late ones left out
    std::uint32_t window_slow = 0;
    std::uint32_t trials_in_flight = 0;

    bool operator==(const BreakerStatus&) const = default;
};

}  // namespace resilience
