// When an open circuit breaker may try again.
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "resilience/breaker_settings.hpp"

namespace resilience {

// Knows the attempts so far, the peer's own Retry-After, and what a background prober saw while open. Not thread-safe:
// the breaker uses it under its lock. Refers to the settings and the randomness of its breaker.
class RecoverySchedule {
public:
    RecoverySchedule(const CircuitBreakerSettings& settings, base::Random& random)
        : settings_(settings), random_(random) {}

    // The breaker opens, or a trial failed: wait the open time of rule `open_time`, and never less than the peer asked
    // for.
    void wait_full_time(base::MonotonicTime at);

    // The peer answered a trial with overload: the attempt does not count, and the wait is the one noted from the peer;
    // the open time when it asked for none.
    void wait_for_peer(base::MonotonicTime at);

    // Honoured up to `max_peer_wait`; a negative wait is none.
    void note_peer_wait(base::Duration wait, base::MonotonicTime at);

    // A probe made while open. Two good ones in a row make the trial due early, though not before the peer's own time,
    // and not in the wait that follows a failed early trial.
    void observe_probe(bool is_success, base::MonotonicTime now);

    void begin_trial(base::MonotonicTime now);

    // The breaker closed: as new.
    void finish();

    // Of the trial running, or of the one that ended last: whether it came before its full time.
    [[nodiscard]] bool is_early_trial() const {
        return is_early_trial_;
    }

    [[nodiscard]] base::MonotonicTime retry_at() const {
        return retry_at_;
    }

    // Trials begun since the breaker was last closed, overloaded ones left out.
    [[nodiscard]] std::uint32_t attempts() const {
        return attempts_;
    }

private:
    void wait_until(base::MonotonicTime time);

    const CircuitBreakerSettings& settings_;
    base::Random& random_;
    base::MonotonicTime full_time_ends_at_{};
    base::MonotonicTime retry_at_{};
    base::MonotonicTime peer_ready_at_ = base::MonotonicTime::min();
    std::uint32_t attempts_ = 0;
    std::uint32_t good_probes_ = 0;  // in a row, while open
    bool is_early_trial_ = false;
};

}  // namespace resilience
