// The outcomes of the last while, and whether too many of them were bad.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "resilience/breaker_settings.hpp"
#include "resilience/breaker_status.hpp"
#include "resilience/rolling_counts.hpp"

namespace resilience {

// Threads as RollingCounts: counting and reading from any, advance() and forget() under the breaker's lock. Refers to
// the settings of its breaker.
class OutcomeWindow {
public:
    OutcomeWindow(const CircuitBreakerSettings& settings, base::MonotonicTime now)
        : settings_(settings), counts_(settings.window, now) {}

    void count_success(bool is_slow) {
        counts_.add(kCalls);
        if (is_slow) {
            counts_.add(kSlow);
        }
    }

    void count_failure() {
        counts_.add(kCalls);
        counts_.add(kFailures);
    }

    [[nodiscard]] std::uint64_t calls() const {
        return counts_.figure(kCalls);
    }

    [[nodiscard]] std::uint64_t failures() const {
        return counts_.figure(kFailures);
    }

    [[nodiscard]] std::uint64_t slow() const {
        return counts_.figure(kSlow);
    }

    // Since construction.
    [[nodiscard]] std::uint64_t total_successes() const {
        return counts_.total(kCalls) - counts_.total(kFailures);
    }

    // The rate that is reached, if any.
    [[nodiscard]] std::optional<TransitionCause> exceeded_rate() const;

    [[nodiscard]] bool is_slice_over(base::MonotonicTime now) const {
        return counts_.is_slice_over(now);
    }

    void advance(base::MonotonicTime now) {
        counts_.advance(now);
    }

    void forget() {
        counts_.forget();
    }

private:
    static constexpr std::size_t kCalls = 0;
    static constexpr std::size_t kFailures = 1;
    static constexpr std::size_t kSlow = 2;

    const CircuitBreakerSettings& settings_;
    RollingCounts<3> counts_;
};

}  // namespace resilience
