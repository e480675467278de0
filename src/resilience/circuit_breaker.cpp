#include "resilience/circuit_breaker.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/ensure.hpp"

namespace resilience {
namespace {

constexpr base::MonotonicTime kNow = base::MonotonicTime::min();
constexpr base::MonotonicTime kNever = base::MonotonicTime::max();

std::uint32_t saturate(std::uint64_t count) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(count, std::numeric_limits<std::uint32_t>::max()));
}

base::Duration time_until(base::MonotonicTime time, base::MonotonicTime now) {
    return time > now ? time - now : base::Duration::zero();
}

BreakerMode configured_mode(const CircuitBreakerSettings& settings) {
    return settings.enabled ? BreakerMode::automatic : BreakerMode::disabled;
}

CircuitBreakerSettings validated(const CircuitBreakerSettings& settings, const std::string& name) {
    if (const auto result = settings.validate(); !result) {
        throw base::ConfigError("circuit breaker " + name + ": " + result.error().message);
    }
    return settings;
}

}  // namespace

// Holds the lock; on leaving, publishes what the lock-free paths read, then tells the listener without the lock.
class CircuitBreaker::Turn {
public:
    explicit Turn(CircuitBreaker& breaker) : breaker_(breaker), lock_(breaker.mutex_) {}

    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    ~Turn() {
        breaker_.publish();
        const auto transitions = std::exchange(breaker_.unannounced_, {});
        lock_.unlock();
        if (breaker_.listener_) {
            announce(transitions);
        }
    }

private:
    void announce(const std::array<std::optional<Transition>, 2>& transitions) noexcept {
        for (const auto& transition : transitions) {
            try {
                if (transition) {
                    breaker_.listener_(*transition);
                }
            } catch (...) {  // NOLINT(bugprone-empty-catch): a listener's mistake is not the caller's
            }
        }
    }

    CircuitBreaker& breaker_;
    std::unique_lock<std::mutex> lock_;
};

CircuitBreaker::CircuitBreaker(std::string name,
                               const CircuitBreakerSettings& settings,
                               base::Random& random,
                               base::MonotonicTime now,
                               Listener listener)
    : name_(std::move(name)),
      settings_(validated(settings, name_)),
      listener_(std::move(listener)),
      mode_(configured_mode(settings)),
      window_(settings_, now),
      last_success_at_(now),
      changed_at_(now),
      schedule_(settings_, random),
      places_(settings_) {}

std::expected<Permit, Refusal> CircuitBreaker::admit(base::MonotonicTime now) {
    const BreakerWord word = word_.load();
    if (word.state == BreakerState::closed) [[likely]] {
        return Permit(*this, word.generation, now);
    }
    if (now < refuse_until_.load(std::memory_order_relaxed)) {
        return std::unexpected(refuse(Caller::traffic, word.state, now));
    }
    return admit_in_turn(Caller::traffic, now);
}

std::expected<Permit, Refusal> CircuitBreaker::admit_probe(base::MonotonicTime now) {
    return admit_in_turn(Caller::prober, now);
}

std::expected<Permit, Refusal> CircuitBreaker::admit_in_turn(Caller caller, base::MonotonicTime now) {
    const Turn turn(*this);
    settle(now);
    if (word_.load().state == BreakerState::open && is_trial_due(caller, now)) {
        begin_trial(now);
    }
    const BreakerWord word = word_.load();
    const bool is_half_open = word.state == BreakerState::half_open;
    if (word.state == BreakerState::open || (is_half_open && !has_place(caller, now))) {
        publish();
        return std::unexpected(refuse(caller, word.state, now));
    }
    if (is_half_open) {
        places_.take(now);
    }
    return Permit(*this, word.generation, now);
}

Refusal CircuitBreaker::refuse(Caller caller, BreakerState state, base::MonotonicTime now) {
    if (caller == Caller::traffic) {
        refused_total_.fetch_add(1, std::memory_order_relaxed);
    }
    const bool is_forced = mode_.load(std::memory_order_relaxed) == BreakerMode::forced_open;
    const RefusalReason reason = state == BreakerState::half_open ? RefusalReason::trial_running
                                 : is_forced                      ? RefusalReason::forced_open
                                                                  : RefusalReason::open;
    return {state, reason, time_until(retry_at_shown_.load(std::memory_order_relaxed), now)};
}

bool CircuitBreaker::is_trial_due(Caller caller, base::MonotonicTime now) const {
    const bool may_try = caller == Caller::prober || !settings_.probes_only_in_half_open;
    return may_try && mode_.load(std::memory_order_relaxed) != BreakerMode::forced_open && now >= schedule_.retry_at();
}

bool CircuitBreaker::has_place(Caller caller, base::MonotonicTime now) const {
    const bool may_try =
        caller == Caller::prober ? now >= places_.next_probe_at() : !settings_.probes_only_in_half_open;
    return may_try && !places_.is_full();
}

void CircuitBreaker::report(const Permit& permit,
                            Outcome outcome,
                            base::MonotonicTime now,
                            std::optional<base::Duration> peer_wait) {
    const bool took_too_long = settings_.slow_rate > 0 && now - permit.admitted_at() > settings_.slow_call;
    if (outcome == Outcome::success && took_too_long) {
        outcome = Outcome::slow;
    }
    if (report_without_lock(permit, outcome, now)) {
        return;
    }
    const Turn turn(*this);
    settle(now);
    const BreakerWord word = word_.load();
    if (word.generation != permit.generation()) {
        late_total_.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    if (outcome == Outcome::failure) {
        failures_total_.fetch_add(1, std::memory_order_relaxed);
    }
    if (peer_wait && (outcome == Outcome::failure || outcome == Outcome::overload)) {
        schedule_.note_peer_wait(*peer_wait, now);
    }
    if (word.state == BreakerState::half_open) {
        places_.give_back(permit.admitted_at());
        record_in_trial(outcome, now);
    } else if (outcome == Outcome::failure) {
        count_failure(now);
        trip_if_due(now);
    }
}

// False when the lock is needed: for a failure, a result of a trial, or one that comes late.
bool CircuitBreaker::report_without_lock(const Permit& permit, Outcome outcome, base::MonotonicTime now) {
    const BreakerWord word = word_.load();
    if (word.state != BreakerState::closed || word.generation != permit.generation()) {
        return false;
    }
    if (outcome == Outcome::failure || outcome == Outcome::overload) {
        return false;
    }
    if (outcome == Outcome::ignored || outcome == Outcome::cancelled) {
        return true;
    }
    if (window_.is_slice_over(now)) {
        if (const std::unique_lock lock(mutex_, std::try_to_lock); lock) {
            window_.advance(now);
        }
    }
    if (!word_.take_failure_off(permit.generation())) {
        return false;
    }
    count_success(outcome, now);
    const bool may_trip = mode_.load(std::memory_order_relaxed) != BreakerMode::disabled;
    if (may_trip && window_.exceeded_rate()) {
        const Turn turn(*this);
        if (word_.load().generation == permit.generation()) {
            trip_if_due(now);
        }
    }
    return true;
}

void CircuitBreaker::count_success(Outcome outcome, base::MonotonicTime at) {
    window_.count_success(outcome == Outcome::slow);
    last_success_at_.store(at, std::memory_order_relaxed);
}

void CircuitBreaker::abandon(const Permit& permit) {
    abandoned_total_.fetch_add(1, std::memory_order_relaxed);
    const BreakerWord word = word_.load();
    if (word.state != BreakerState::half_open || word.generation != permit.generation()) {
        return;
    }
    const Turn turn(*this);
    if (word_.load().generation == permit.generation()) {
        places_.give_back(permit.admitted_at());
    }
}

void CircuitBreaker::observe_probe(bool is_success, base::MonotonicTime now) {
    const Turn turn(*this);
    settle(now);
    if (word_.load().state == BreakerState::open) {
        schedule_.observe_probe(is_success, now);
    }
}

void CircuitBreaker::reset(base::MonotonicTime now) {
    const Turn turn(*this);
    settle(now);
    mode_.store(configured_mode(settings_), std::memory_order_relaxed);
    last_failure_at_.reset();
    successes_before_streak_ = window_.total_successes();
    close(now, TransitionCause::reset);
}

void CircuitBreaker::force_open(base::MonotonicTime now) {
    const Turn turn(*this);
    settle(now);
    mode_.store(BreakerMode::forced_open, std::memory_order_relaxed);
    open(now, TransitionCause::forced_open);
}

void CircuitBreaker::disable(base::MonotonicTime now) {
    const Turn turn(*this);
    settle(now);
    mode_.store(BreakerMode::disabled, std::memory_order_relaxed);
    close(now, TransitionCause::disabled);
}

BreakerStatus CircuitBreaker::status(base::MonotonicTime now) {
    const Turn turn(*this);
    settle(now);
    window_.advance(now);
    const BreakerWord word = word_.load();
    const BreakerMode mode = mode_.load(std::memory_order_relaxed);
    const bool waits = word.state == BreakerState::open && mode == BreakerMode::automatic;
    const std::uint32_t running_attempts = word.state == BreakerState::half_open ? 1 : 0;
    return {
        .state = word.state,
        .mode = mode,
        .is_enabled = mode != BreakerMode::disabled,
        .failure_count = word.failure_count,
        .consecutive_successes = saturate(window_.total_successes() - successes_before_streak_),
        .recovery_attempts = schedule_.attempts(),
        .has_exhausted_recovery_attempts = word.state != BreakerState::closed &&
                                           schedule_.attempts() - running_attempts >= settings_.max_recovery_attempts,
        .last_failure_at = last_failure_at_,
        .last_success_at = last_success_at_.load(std::memory_order_relaxed),
        .changed_at = changed_at_,
        .time_until_retry = waits ? time_until(schedule_.retry_at(), now) : base::Duration::zero(),
        .failure_threshold = settings_.failure_threshold,
        .recovery_timeout = settings_.recovery_timeout,
        .max_recovery_attempts = settings_.max_recovery_attempts,
        .window_calls = saturate(window_.calls()),
        .window_failures = saturate(window_.failures()),
        .generation = word.generation,
        .opened_total = opened_total_,
        .refused_total = refused_total_.load(std::memory_order_relaxed),
        .late_total = late_total_.load(std::memory_order_relaxed),
        .abandoned_total = abandoned_total_.load(std::memory_order_relaxed),
        .double_report_total = double_report_total_.load(std::memory_order_relaxed),
        .failures_total = failures_total_.load(std::memory_order_relaxed),
        .window_slow = saturate(window_.slow()),
        .trials_in_flight = saturate(places_.count()),
    };
}

// A trial past its deadline has failed, at that deadline.
void CircuitBreaker::settle(base::MonotonicTime now) {
    const base::MonotonicTime deadline = places_.earliest_deadline();
    if (deadline <= now) {
        count_failure(deadline);
        schedule_.wait_full_time(deadline);
        open(deadline, TransitionCause::trial_expired);
    }
}

void CircuitBreaker::trip_if_due(base::MonotonicTime at) {
    if (mode_.load(std::memory_order_relaxed) == BreakerMode::disabled) {
        return;
    }
    const bool reaches_threshold = word_.load().failure_count >= std::max(1U, settings_.failure_threshold);
    const auto cause = reaches_threshold ? TransitionCause::failure_count : window_.exceeded_rate();
    if (cause) {
        schedule_.wait_full_time(at);
        open(at, *cause);
    }
}

void CircuitBreaker::begin_trial(base::MonotonicTime now) {
    schedule_.begin_trial(now);
    trial_successes_ = 0;
    const bool is_early = schedule_.is_early_trial();
    move_to(BreakerState::half_open, now, is_early ? TransitionCause::early_trial : TransitionCause::trial_due);
}

void CircuitBreaker::record_in_trial(Outcome outcome, base::MonotonicTime at) {
    const bool is_slow_failure = outcome == Outcome::slow && settings_.slow_rate > 0;
    if (outcome == Outcome::failure || is_slow_failure) {
        count_failure(at);
        schedule_.wait_full_time(at);
        open(at, TransitionCause::trial_failed);
    } else if (outcome == Outcome::overload) {
        schedule_.wait_for_peer(at);
        open(at, TransitionCause::peer_overloaded);
    } else if (outcome == Outcome::success || outcome == Outcome::slow) {
        window_.advance(at);
        count_success(outcome, at);
        if (++trial_successes_ >= settings_.successes_to_close) {
            close(at, TransitionCause::trial_succeeded);
        }
    }
}

void CircuitBreaker::count_failure(base::MonotonicTime at) {
    window_.advance(at);
    window_.count_failure();
    successes_before_streak_ = window_.total_successes();
    last_failure_at_ = at;
    word_.add_failure();
}

void CircuitBreaker::open(base::MonotonicTime at, TransitionCause cause) {
    ++opened_total_;
    successes_before_streak_ = window_.total_successes();
    move_to(BreakerState::open, at, cause);
}

void CircuitBreaker::close(base::MonotonicTime at, TransitionCause cause) {
    schedule_.finish();
    window_.forget();
    move_to(BreakerState::closed, at, cause);
}

void CircuitBreaker::move_to(BreakerState state, base::MonotonicTime at, TransitionCause cause) {
    const BreakerWord before = word_.load();
    const BreakerWord after{.generation = before.generation + 1,
                            .failure_count = state == BreakerState::closed ? 0 : before.failure_count,
                            .state = state};
    word_.store(after);
    changed_at_ = at;
    places_.reset(at);
    auto& slot = unannounced_[0] ? unannounced_[1] : unannounced_[0];
    ENSURE(!slot, "a turn makes at most two transitions");
    slot = Transition{name_, before.state, state, cause, at, after.generation};
}

void CircuitBreaker::publish() {
    base::MonotonicTime refuse_until = kNow;
    base::MonotonicTime retry_at = kNow;
    const BreakerState state = word_.load().state;
    if (mode_.load(std::memory_order_relaxed) == BreakerMode::forced_open) {
        refuse_until = kNever;
    } else if (state == BreakerState::open) {
        refuse_until = settings_.probes_only_in_half_open ? kNever : schedule_.retry_at();
        retry_at = schedule_.retry_at();
    } else if (state == BreakerState::half_open) {
        const bool has_no_place = places_.is_full() || settings_.probes_only_in_half_open;
        refuse_until = has_no_place ? places_.earliest_deadline() : kNow;
        retry_at = places_.is_empty() ? places_.next_probe_at() : places_.earliest_deadline();
    }
    refuse_until_.store(refuse_until, std::memory_order_relaxed);
    retry_at_shown_.store(retry_at, std::memory_order_relaxed);
}

}  // namespace resilience
