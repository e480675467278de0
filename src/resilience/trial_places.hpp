// The few calls a half-open circuit breaker lets through, each with its own deadline.
#pragma once

#include <vector>

#include "base/clock.hpp"
#include "resilience/breaker_settings.hpp"

namespace resilience {

// Not thread-safe: the breaker uses it under its lock. Allocates only on construction. Refers to the settings of its
// breaker.
class TrialPlaces {
public:
    explicit TrialPlaces(const CircuitBreakerSettings& settings);

    // All places free, the first probe at once.
    void reset(base::MonotonicTime now);

    [[nodiscard]] bool is_full() const {
        return deadlines_.size() >= settings_.half_open_places;
    }

    [[nodiscard]] bool is_empty() const {
        return deadlines_.empty();
    }

    [[nodiscard]] std::size_t count() const {
        return deadlines_.size();
    }

    // Probes keep `trial_spacing` from the trial before.
    [[nodiscard]] base::MonotonicTime next_probe_at() const {
        return next_probe_at_;
    }

    // Of the trials in flight; the end of time when there is none.
    [[nodiscard]] base::MonotonicTime earliest_deadline() const;

    void take(base::MonotonicTime now);

    // `admitted_at` is when take() was called for this trial.
    void give_back(base::MonotonicTime admitted_at);

private:
    const CircuitBreakerSettings& settings_;
    base::MonotonicTime next_probe_at_{};
    std::vector<base::MonotonicTime> deadlines_;
};

}  // namespace resilience
