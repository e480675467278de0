// A circuit breaker on simulated time, and words for the tests that drive it.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <vector>

#include "base/testing/fixed_random.hpp"
#include "base/testing/manual_clock.hpp"
#include "resilience/circuit_breaker.hpp"

#include <gtest/gtest.h>

namespace resilience::testing {

class TestBreaker {
public:
    // `chance` is what every draw of the jitter answers.
    explicit TestBreaker(const CircuitBreakerSettings& settings = {}, double chance = 0.0)
        : random_(chance), breaker_("mlflow", settings, random_, clock_.now(), [this](const Transition& transition) {
              transitions_.push_back(transition);
          }) {}

    CircuitBreaker& operator*() {
        return breaker_;
    }

    void advance(base::Duration duration) {
        clock_.advance(duration);
    }

    [[nodiscard]] base::MonotonicTime now() const {
        return clock_.now();
    }

    std::expected<Permit, Refusal> admit() {
        return breaker_.admit(now());
    }

    std::expected<Permit, Refusal> admit_probe() {
        return breaker_.admit_probe(now());
    }

    // False when the call was refused.
    bool call(Outcome outcome, std::optional<base::Duration> peer_wait = std::nullopt) {
        auto permit = admit();
        if (permit) {
            permit->report(outcome, now(), peer_wait);
        }
        return permit.has_value();
    }

    bool probe(Outcome outcome, std::optional<base::Duration> peer_wait = std::nullopt) {
        auto permit = admit_probe();
        if (permit) {
            permit->report(outcome, now(), peer_wait);
        }
        return permit.has_value();
    }

    void call_times(int times, Outcome outcome) {
        for (int call_number = 0; call_number < times; ++call_number) {
            call(outcome);
        }
    }

    void observe_probe(bool is_success) {
        breaker_.observe_probe(is_success, now());
    }

    BreakerStatus status() {
        return breaker_.status(now());
    }

    BreakerState state() {
        return status().state;
    }

    [[nodiscard]] const std::vector<Transition>& transitions() const {
        return transitions_;
    }

private:
    base::testing::ManualClock clock_;
    base::testing::FixedRandom random_;
    std::vector<Transition> transitions_;
    CircuitBreaker breaker_;
};

}  // namespace resilience::testing
