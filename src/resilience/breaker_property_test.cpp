// Random schedules against the specification and against what must always hold. A failing seed is printed and can be
// run alone.
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>

#include "resilience/testing/breaker_twins.hpp"

#include <gtest/gtest.h>

using namespace std::chrono_literals;

namespace resilience {
namespace {

constexpr std::uint64_t kSchedules = 400;
constexpr int kStepsPerSchedule = 120;
constexpr std::size_t kCallers = 4;

class RandomSchedule {
public:
    explicit RandomSchedule(std::uint64_t seed)
        : engine_(seed), settings_(choose_settings()), twins_(settings_, choose_chance(), kCallers) {}

    void run() {
        for (int step = 0; step < kStepsPerSchedule && !::testing::Test::HasFailure(); ++step) {
            take_step();
            check_always();
        }
        check_recovery();
    }

private:
    std::uint64_t up_to(std::uint64_t largest) {
        return engine_() % (largest + 1);
    }

    template <class T, std::size_t N>
    T one_of(const std::array<T, N>& choices) {
        return choices[up_to(N - 1)];
    }

    double choose_chance() {
        return static_cast<double>(up_to(7)) / 8;
    }

    CircuitBreakerSettings choose_settings() {
        return {
            .enabled = up_to(19) != 0,
            .failure_threshold = static_cast<std::uint32_t>(up_to(4)),
            .recovery_timeout = one_of(std::array<base::Duration, 4>{0ns, 1s, 30s, 90s}),
            .max_recovery_attempts = static_cast<std::uint32_t>(up_to(3)),
            .half_open_places = static_cast<std::uint32_t>(1 + up_to(2)),
            .successes_to_close = static_cast<std::uint32_t>(1 + up_to(2)),
            .probe_deadline = one_of(std::array<base::Duration, 3>{1ns, 2s, 60s}),
            .failure_rate = one_of(std::array{0.0, 0.3, 0.5, 1.0}),
            .failure_rate_minimum_calls = static_cast<std::uint32_t>(1 + up_to(6)),
            .window = one_of(std::array<base::Duration, 3>{1s, 10s, 60s}),
            .slow_rate = one_of(std::array{0.0, 0.4}),
            .slow_call = 1s,
            .max_jitter = one_of(std::array{0.0, 0.1}),
            .probes_only_in_half_open = up_to(2) == 0,
            .trial_spacing = one_of(std::array<base::Duration, 2>{0ns, 1s}),
            .early_trial = up_to(2) != 0,
        };
    }

    // Often exactly on, or next to, the instant at which something changes.
    base::Duration choose_pause() {
        const BreakerModel& model = twins_.model();
        std::array<base::MonotonicTime, 4> instants{model.retry_at, model.full_time_ends_at, model.next_probe_at, {}};
        if (!model.trials.empty()) {
            instants[3] = model.trials.front().admitted_at + settings_.probe_deadline;
        }
        const base::Duration to_instant = one_of(instants) - twins_.now() + base::Duration(up_to(2)) - 1ns;
        if (up_to(1) == 0 && to_instant >= 0ns) {
            return to_instant;
        }
        return one_of(std::array<base::Duration, 6>{0ns, 1ns, 100ms, 1s, 7s, 70s});
    }

    void take_step() {
        const std::size_t caller = up_to(kCallers - 1);
        switch (up_to(24)) {
            case 0:
                return act_as_operator();
            case 1:
                return twins_.drop(caller);
            case 2:
            case 3:
                return twins_.observe_probe(up_to(3) != 0);
            case 4:
            case 5:
            case 6:
            case 7:
            case 8:
                return twins_.advance(choose_pause());
            default:
                return twins_.held(caller) != nullptr && up_to(3) != 0 ? report(caller) : admit(caller);
        }
    }

    void act_as_operator() {
        switch (up_to(5)) {
            case 0:
                return twins_.force_open();
            case 1:
                return twins_.disable();
            default:
                return twins_.reset();
        }
    }

    void admit(std::size_t caller) {
        const BreakerStatus before = twins_.status();
        const bool is_probe = up_to(3) == 0;
        twins_.admit(caller, is_probe);
        const bool is_admitted = twins_.held(caller) != nullptr;
        if (before.state == BreakerState::closed) {
            ASSERT_TRUE(is_admitted) << "closed admits everyone";
        }
        if (before.state == BreakerState::open && (before.time_until_retry > 0ns || !is_automatic(before))) {
            ASSERT_FALSE(is_admitted) << "open admits nobody before its time";
        }
        if (before.state != BreakerState::closed && settings_.probes_only_in_half_open && !is_probe) {
            ASSERT_FALSE(is_admitted) << "only probes may be trials";
        }
    }

    void report(std::size_t caller) {
        constexpr std::array kOutcomes{Outcome::success,
                                       Outcome::success,
                                       Outcome::failure,
                                       Outcome::failure,
                                       Outcome::slow,
                                       Outcome::ignored,
                                       Outcome::cancelled,
                                       Outcome::overload};
        const BreakerStatus before = twins_.status();
        const auto& held = *twins_.held(caller);
        const bool is_late = !held.is_reported && held.model.generation != before.generation;
        const bool is_double = held.is_reported;
        std::optional<base::Duration> peer_wait;
        if (up_to(2) == 0) {
            peer_wait = one_of(std::array<base::Duration, 4>{-1s, 0s, 5s, 1h});
        }
        twins_.report(caller, one_of(kOutcomes), peer_wait);
        if (is_late || is_double) {
            BreakerStatus expected = before;
            expected.late_total += is_late ? 1 : 0;
            expected.double_report_total += is_double ? 1 : 0;
            ASSERT_TRUE(twins_.status() == expected) << "a late or second report changes nothing but its counter";
        }
    }

    static bool is_automatic(const BreakerStatus& status) {
        return status.mode == BreakerMode::automatic;
    }

    void check_always() {
        if (up_to(3) == 0) {
            return;  // also go on without anyone having looked
        }
        const BreakerStatus status = twins_.status();
        ASSERT_LE(status.trials_in_flight, settings_.half_open_places);
        ASSERT_GE(status.generation, last_generation_);
        if (status.generation == last_generation_) {
            ASSERT_EQ(status.state, last_state_) << "a change of state begins a generation";
        }
        const base::Duration longest = std::max<base::Duration>(60s, settings_.recovery_timeout);
        ASSERT_LE(status.time_until_retry, longest) << "nobody waits longer than the cap";
        last_generation_ = status.generation;
        last_state_ = status.state;
    }

    // Whatever happened, and with permits still held by callers that never report: a good peer is found again.
    void check_recovery() {
        if (twins_.status().mode == BreakerMode::forced_open) {
            twins_.reset();
        }
        for (std::uint32_t trial = 0; trial <= settings_.successes_to_close + 1; ++trial) {
            if (twins_.status().state == BreakerState::closed) {
                return;
            }
            const base::Duration pause = trial == 0 ? 60s + 90s + settings_.probe_deadline : settings_.trial_spacing;
            twins_.advance(pause);
            twins_.admit(0, true);
            ASSERT_NE(twins_.held(0), nullptr) << "a trial is due";
            twins_.report(0, Outcome::success);
        }
        ASSERT_EQ(twins_.status().state, BreakerState::closed) << "recovers";
    }

    using BreakerModel = resilience::testing::BreakerModel;

    std::mt19937_64 engine_;
    const CircuitBreakerSettings settings_;
    resilience::testing::BreakerTwins twins_;
    std::uint64_t last_generation_ = 0;
    BreakerState last_state_ = BreakerState::closed;
};

TEST(CircuitBreakerProperties, hold_for_random_schedules_and_equal_the_specification) {
    for (std::uint64_t seed = 1; seed <= kSchedules; ++seed) {
        RandomSchedule(seed).run();
        ASSERT_FALSE(HasFailure()) << "seed " << seed;
    }
}

}  // namespace
}  // namespace resilience
