// What a circuit breaker hands out.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "base/clock.hpp"
#include "resilience/breaker_status.hpp"

namespace resilience {

class CircuitBreaker;

// The right to one call, bound to the moment of its admission. Report once; a second report is counted and ignored.
// Destroyed without a report it is abandoned: that proves nothing and gives a half-open place back. Must not outlive
// its breaker. Movable between threads, not for use by two at once.
class [[nodiscard]] Permit {
public:
    Permit(Permit&& other) noexcept
        : breaker_(std::exchange(other.breaker_, nullptr)),
          generation_(other.generation_),
          admitted_at_(other.admitted_at_),
          is_reported_(other.is_reported_) {}

    Permit& operator=(Permit&& other) noexcept;

    ~Permit() {
        if (breaker_ != nullptr && !is_reported_) {
            abandon();
        }
    }

    // `peer_retry_after` is what the peer itself asked for, with a failure or an overload; it delays the next trial, up
    // to `max_peer_wait`.
    void report(Outcome outcome,
                base::MonotonicTime now,
                std::optional<base::Duration> peer_retry_after = std::nullopt);

    [[nodiscard]] std::uint64_t generation() const {
        return generation_;
    }

    [[nodiscard]] base::MonotonicTime admitted_at() const {
        return admitted_at_;
    }

private:
    friend class CircuitBreaker;

    Permit(CircuitBreaker& breaker, std::uint64_t generation, base::MonotonicTime admitted_at)
        : breaker_(&breaker), generation_(generation), admitted_at_(admitted_at) {}

    void abandon() noexcept;

    CircuitBreaker* breaker_;  // null once moved from
    std::uint64_t generation_;
    base::MonotonicTime admitted_at_;
    bool is_reported_ = false;
};

}  // namespace resilience
