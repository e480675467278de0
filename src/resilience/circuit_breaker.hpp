// Stops calling a dependency that fails, and finds out by few, bounded trials when it works again.
//
//             failures reach the threshold, or a rate is exceeded
//    CLOSED ------------------------------------------------------> OPEN
//       ^                                                           |  ^
//       |                                          a trial is due   |  |  a trial fails, expires,
//       |             enough trials succeed in a row                v  |  or finds the peer overloaded
//       +--------------------------------------------------------- HALF_OPEN
//
// Every admission carries the generation it belongs to, and every change of state begins a new one; so a result that
// comes late (admitted before a change) is counted and otherwise without effect. Nothing needs a timer: a trial past
// its deadline has failed *at* that deadline, whenever someone next looks.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "resilience/breaker_settings.hpp"
#include "resilience/breaker_status.hpp"
#include "resilience/breaker_word.hpp"
#include "resilience/outcome_window.hpp"
#include "resilience/permit.hpp"
#include "resilience/recovery_schedule.hpp"
#include "resilience/trial_places.hpp"

namespace resilience {

// Safe from any thread. While CLOSED, admitting and reporting a success take no lock and allocate nothing; nor does a
// refusal. `now` must come from one monotonic clock; threads may pass it slightly out of order.
class CircuitBreaker {
public:
    // Runs in the thread that caused the change, outside the lock; may call the breaker; what it throws is dropped.
    using Listener = std::function<void(const Transition&)>;

    // Throws base::ConfigError when the settings do not validate. `random` is used under this breaker's lock only, so
    // it must not be shared with anyone else.
    CircuitBreaker(std::string name,
                   const CircuitBreakerSettings& settings,
                   base::Random& random,
                   base::MonotonicTime now,
                   Listener listener = {});

    CircuitBreaker(const CircuitBreaker&) = delete;
    CircuitBreaker& operator=(const CircuitBreaker&) = delete;

    // For traffic: the right to call, or why not.
    [[nodiscard]] std::expected<Permit, Refusal> admit(base::MonotonicTime now);

    // For the background prober, once per cycle: with a permit, report the probe to it; refused, probe all the same and
    // tell observe_probe().
    [[nodiscard]] std::expected<Permit, Refusal> admit_probe(base::MonotonicTime now);

    // A probe made without a permit. Two good ones in a row while open make the trial due early, though not before the
    // peer's own Retry-After, and not in the open time that follows a failed early trial.
    void observe_probe(bool is_success, base::MonotonicTime now);

    // Operator actions; the caller audits them. Each begins a new generation. reset() is also the way back from the
    // other two: it closes the breaker with all counts at zero, in the mode the settings ask for.
    void reset(base::MonotonicTime now);
    void force_open(base::MonotonicTime now);
    void disable(base::MonotonicTime now);

    // Takes the lock: for pages and metrics, not for every call.
    [[nodiscard]] BreakerStatus status(base::MonotonicTime now);

    // As it was when someone last looked.
    [[nodiscard]] BreakerState state() const {
        return word_.load().state;
    }

    [[nodiscard]] const std::string& name() const {
        return name_;
    }

    [[nodiscard]] const CircuitBreakerSettings& settings() const {
        return settings_;
    }

private:
    friend class Permit;
    class Turn;
    enum class Caller { traffic, prober };

    // Without the lock.
    std::expected<Permit, Refusal> admit_in_turn(Caller caller, base::MonotonicTime now);
    [[nodiscard]] Refusal refuse(Caller caller, BreakerState state, base::MonotonicTime now);
    void report(const Permit& permit,
                Outcome outcome,
                base::MonotonicTime now,
                std::optional<base::Duration> peer_wait);
    bool report_without_lock(const Permit& permit, Outcome outcome, base::MonotonicTime now);
    void count_success(Outcome outcome, base::MonotonicTime at);
    void abandon(const Permit& permit);

    // Under the lock, within a Turn.
    void settle(base::MonotonicTime now);
    [[nodiscard]] bool is_trial_due(Caller caller, base::MonotonicTime now) const;
    [[nodiscard]] bool has_place(Caller caller, base::MonotonicTime now) const;
    void begin_trial(base::MonotonicTime now);
    void record_in_trial(Outcome outcome, base::MonotonicTime at);
    void count_failure(base::MonotonicTime at);
    void trip_if_due(base::MonotonicTime at);
    void open(base::MonotonicTime at, TransitionCause cause);
    void close(base::MonotonicTime at, TransitionCause cause);
    void move_to(BreakerState state, base::MonotonicTime at, TransitionCause cause);
    void publish();

    const std::string name_;
    const CircuitBreakerSettings settings_;
    const Listener listener_;

    // Read by every call.
    alignas(64) AtomicBreakerWord word_;
    std::atomic<BreakerMode> mode_;
    std::atomic<base::MonotonicTime> refuse_until_{};  // unless closed, traffic is refused without the lock until then
    std::atomic<base::MonotonicTime> retry_at_shown_{};  // what Refusal::retry_after counts down to

    // Written by every success.
    OutcomeWindow window_;
    std::atomic<base::MonotonicTime> last_success_at_;

    alignas(64) std::atomic<std::uint64_t> refused_total_{0};
    std::atomic<std::uint64_t> failures_total_{0};
    std::atomic<std::uint64_t> late_total_{0};
    std::atomic<std::uint64_t> abandoned_total_{0};
    std::atomic<std::uint64_t> double_report_total_{0};

    alignas(64) std::mutex mutex_;  // guards everything below
    base::MonotonicTime changed_at_;
    std::optional<base::MonotonicTime> last_failure_at_;
    std::uint64_t successes_before_streak_ = 0;
    std::uint64_t opened_total_ = 0;
    std::uint32_t trial_successes_ = 0;
    RecoverySchedule schedule_;
    TrialPlaces places_;
    // A turn makes at most two: an expiry, then what the caller wants.
    std::array<std::optional<Transition>, 2> unannounced_;
};

}  // namespace resilience
