// The real circuit breaker and its specification, driven by the same calls.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/testing/fixed_random.hpp"
#include "resilience/circuit_breaker.hpp"
#include "resilience/testing/breaker_model.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace resilience::testing {

constexpr base::MonotonicTime kTwinsStart{std::chrono::hours(1)};

// One line per difference worth reading.
inline std::string show(const BreakerStatus& status) {
    const auto since_start = [](base::MonotonicTime time) { return (time - kTwinsStart).count(); };
    return fmt::format(
        "{} {} generation {} since {} ns, failures {}, successes {}, attempts {}{}, retry in {} ns, window {}/{}/{}, "
        "trials {}, last failure {}, last success {}, opened {}, refused {}, late {}, abandoned {}, double {}",
        to_string(status.state),
        to_string(status.mode),
        status.generation,
        since_start(status.changed_at),
        status.failure_count,
        status.consecutive_successes,
        status.recovery_attempts,
        status.has_exhausted_recovery_attempts ? " (exhausted)" : "",
        status.time_until_retry.count(),
        status.window_calls,
        status.window_failures,
        status.window_slow,
        status.trials_in_flight,
        status.last_failure_at ? since_start(*status.last_failure_at) : -1,
        status.last_success_at ? since_start(*status.last_success_at) : -1,
        status.opened_total,
        status.refused_total,
        status.late_total,
        status.abandoned_total,
        status.double_report_total);
}

// Each caller holds at most one permit. Every call checks that both twins answer alike.
class BreakerTwins {
public:
    BreakerTwins(const CircuitBreakerSettings& settings, double chance, std::size_t callers)
        : random_(chance),
          real_("twin", settings, random_, kTwinsStart),
          model_{.settings = settings, .chance = chance, .started_at = kTwinsStart},
          held_(callers) {}

    BreakerTwins(const BreakerTwins&) = delete;
    BreakerTwins& operator=(const BreakerTwins&) = delete;

    struct Held {
        Permit real;
        ModelPermit model;
        bool is_reported = false;
    };

    void advance(base::Duration duration) {
        now_ += duration;
    }

    void admit(std::size_t caller, bool is_probe) {
        drop(caller);
        auto real = is_probe ? real_.admit_probe(now_) : real_.admit(now_);
        const auto model = model_.admit(now_, is_probe);
        ASSERT_EQ(real.has_value(), model.has_value());
        if (model) {
            ASSERT_EQ(real->generation(), model->generation);
            ASSERT_EQ(real->admitted_at(), model->admitted_at);
            held_[caller].emplace(std::move(*real), *model);
        } else {
            ASSERT_EQ(real.error(), model.error());
        }
    }

    void report(std::size_t caller, Outcome outcome, std::optional<base::Duration> peer_wait = std::nullopt) {
        Held& held = *held_[caller];
        held.real.report(outcome, now_, peer_wait);
        if (held.is_reported) {
            ++model_.double_reports;
        } else {
            model_.report(held.model, outcome, now_, peer_wait);
        }
        held.is_reported = true;
    }

    void drop(std::size_t caller) {
        if (held_[caller] && !held_[caller]->is_reported) {
            model_.abandon(held_[caller]->model);
        }
        held_[caller].reset();
    }

    void observe_probe(bool is_success) {
        real_.observe_probe(is_success, now_);
        model_.observe_probe(is_success, now_);
    }

    void reset() {
        real_.reset(now_);
        model_.reset(now_);
    }

    void force_open() {
        real_.force_open(now_);
        model_.force_open(now_);
    }

    void disable() {
        real_.disable(now_);
        model_.disable(now_);
    }

    BreakerStatus status() {
        const BreakerStatus real = real_.status(now_);
        const BreakerStatus model = model_.status(now_);
        EXPECT_TRUE(real == model) << "real:          " << show(real) << "\nspecification: " << show(model);
        return real;
    }

    // Null when the caller holds no permit.
    [[nodiscard]] const Held* held(std::size_t caller) const {
        return held_[caller] ? &*held_[caller] : nullptr;
    }

    [[nodiscard]] const BreakerModel& model() const {
        return model_;
    }

    [[nodiscard]] base::MonotonicTime now() const {
        return now_;
    }

private:
    base::testing::FixedRandom random_;
    CircuitBreaker real_;
    BreakerModel model_;
    base::MonotonicTime now_ = kTwinsStart;
    std::vector<std::optional<Held>> held_;
};

}  // namespace resilience::testing
