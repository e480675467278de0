#include "resilience/circuit_breaker.hpp"

#include <chrono>
#include <stdexcept>

#include "resilience/testing/breaker_fixture.hpp"

#include <gtest/gtest.h>

using namespace std::chrono_literals;

namespace resilience {
namespace {

using resilience::testing::TestBreaker;

TEST(CircuitBreaker, ignores_results_from_before_it_opened) {
    TestBreaker breaker;
    auto failing = breaker.admit();
    auto working = breaker.admit();
    breaker.call_times(3, Outcome::failure);
    failing->report(Outcome::failure, breaker.now());
    breaker.advance(30s);
    auto trial = breaker.admit();
    ASSERT_TRUE(trial);
    working->report(Outcome::success, breaker.now());
    EXPECT_EQ(breaker.status().late_total, 2U);
    EXPECT_EQ(breaker.status().failure_count, 3U);
    EXPECT_EQ(breaker.status().consecutive_successes, 0U);
    EXPECT_EQ(breaker.state(), BreakerState::half_open);
}

TEST(CircuitBreaker, does_not_close_on_late_successes) {
    TestBreaker breaker;
    auto first = breaker.admit();
    auto second = breaker.admit();
    breaker.call_times(3, Outcome::failure);
    breaker.advance(30s);
    auto trial = breaker.admit();
    first->report(Outcome::success, breaker.now());
    second->report(Outcome::success, breaker.now());
    EXPECT_EQ(breaker.state(), BreakerState::half_open);
}

TEST(CircuitBreaker, gives_no_place_back_for_late_results) {
    TestBreaker breaker;
    auto late = breaker.admit();
    breaker.call_times(3, Outcome::failure);
    breaker.advance(30s);
    auto trial = breaker.admit();
    late->report(Outcome::ignored, breaker.now());
    EXPECT_FALSE(breaker.admit());
}

TEST(CircuitBreaker, learns_nothing_from_ignored_cancelled_and_overload_while_closed) {
    TestBreaker breaker;
    for (const Outcome outcome : {Outcome::ignored, Outcome::cancelled, Outcome::overload}) {
        breaker.call_times(30, outcome);
    }
    EXPECT_EQ(breaker.state(), BreakerState::closed);
    EXPECT_EQ(breaker.status().window_calls, 0U);
    EXPECT_EQ(breaker.status().consecutive_successes, 0U);
}

TEST(CircuitBreaker, does_not_close_on_cancelled_or_abandoned_trials_and_takes_their_places_back) {
    TestBreaker breaker;
    breaker.call_times(3, Outcome::failure);
    breaker.advance(30s);
    for (int round = 0; round < 5; ++round) {
        EXPECT_TRUE(breaker.call(Outcome::cancelled));
        EXPECT_TRUE(breaker.call(Outcome::ignored));
        EXPECT_TRUE(breaker.admit()) << "dropped at once";
    }
    EXPECT_EQ(breaker.state(), BreakerState::half_open);
    EXPECT_EQ(breaker.status().trials_in_flight, 0U);
}

TEST(CircuitBreaker, admits_one_trial_at_a_time_and_closes_after_two_successes) {
    TestBreaker breaker;
    breaker.call_times(3, Outcome::failure);
    breaker.advance(30s);
    auto trial = breaker.admit();
    ASSERT_TRUE(trial);
    EXPECT_EQ(breaker.admit().error().reason, RefusalReason::trial_running);
    trial->report(Outcome::success, breaker.now());
    EXPECT_EQ(breaker.state(), BreakerState::half_open);
    EXPECT_TRUE(breaker.call(Outcome::success));
    EXPECT_EQ(breaker.state(), BreakerState::closed);
    EXPECT_EQ(breaker.status().failure_count, 0U);
    EXPECT_EQ(breaker.status().recovery_attempts, 0U);
    EXPECT_EQ(breaker.status().consecutive_successes, 2U);
}

TEST(CircuitBreaker, admits_as_many_trials_as_there_are_places) {
    TestBreaker breaker({.half_open_places = 3});
    breaker.call_times(3, Outcome::failure);
    breaker.advance(30s);
    const auto first = breaker.admit();
    const auto second = breaker.admit();
    const auto third = breaker.admit();
    EXPECT_TRUE(first && second && third);
    EXPECT_FALSE(breaker.admit());
}

TEST(CircuitBreaker, reopens_on_any_failed_trial) {
    TestBreaker breaker({.half_open_places = 2});
    breaker.call_times(3, Outcome::failure);
    breaker.advance(30s);
    auto other = breaker.admit();
    breaker.call(Outcome::failure);
    EXPECT_EQ(breaker.state(), BreakerState::open);
    other->report(Outcome::success, breaker.now());
    EXPECT_EQ(breaker.state(), BreakerState::open);
    EXPECT_EQ(breaker.status().late_total, 1U);
}

TEST(CircuitBreaker, fails_a_trial_at_its_deadline_whoever_looks_first) {
    const CircuitBreakerSettings settings{.probe_deadline = 5s};
    TestBreaker looked(settings);
    looked.call_times(3, Outcome::failure);
    looked.advance(30s);
    auto lost = looked.admit();
    looked.advance(5s - 1ns);
    EXPECT_EQ(looked.state(), BreakerState::half_open);
    looked.advance(1ns);
    const auto deadline = looked.now();
    looked.advance(1s);
    EXPECT_EQ(looked.state(), BreakerState::open);
    EXPECT_EQ(looked.status().changed_at, deadline);
    EXPECT_EQ(looked.status().last_failure_at, deadline);
    EXPECT_EQ(looked.status().time_until_retry, 29s);
    lost->report(Outcome::success, looked.now());
    EXPECT_EQ(looked.status().late_total, 1U);
}

TEST(CircuitBreaker, lets_the_next_trial_start_long_after_a_lost_one) {
    TestBreaker breaker;
    breaker.call_times(3, Outcome::failure);
    breaker.advance(30s);
    const auto lost = breaker.admit();
    breaker.advance(std::chrono::hours(24 * 7));
    EXPECT_TRUE(breaker.call(Outcome::success));
    EXPECT_TRUE(breaker.call(Outcome::success));
    EXPECT_EQ(breaker.state(), BreakerState::closed);
}

TEST(CircuitBreaker, tells_how_long_the_running_trial_may_take) {
    TestBreaker breaker({.probe_deadline = 5s});
    breaker.call_times(3, Outcome::failure);
    breaker.advance(30s);
    const auto trial = breaker.admit();
    breaker.advance(2s);
    EXPECT_EQ(breaker.admit().error(), (Refusal{BreakerState::half_open, RefusalReason::trial_running, 3s}));
}

TEST(CircuitBreaker, trips_on_a_leaky_count_of_failures) {
    TestBreaker breaker;
    breaker.call_times(2, Outcome::failure);
    breaker.call(Outcome::success);
    EXPECT_EQ(breaker.status().failure_count, 1U);
    breaker.call(Outcome::failure);
    EXPECT_EQ(breaker.state(), BreakerState::closed);
    breaker.call(Outcome::failure);
    EXPECT_EQ(breaker.state(), BreakerState::open);
    EXPECT_EQ(breaker.transitions().back().cause, TransitionCause::failure_count);
}

TEST(CircuitBreaker, never_counts_below_zero) {
    TestBreaker breaker;
    breaker.call_times(5, Outcome::success);
    EXPECT_EQ(breaker.status().failure_count, 0U);
    EXPECT_EQ(breaker.status().consecutive_successes, 5U);
}

TEST(CircuitBreaker, trips_on_half_of_twenty_calls_even_when_the_last_succeeds) {
    TestBreaker breaker;
    for (int pair = 0; pair < 10; ++pair) {
        EXPECT_EQ(breaker.state(), BreakerState::closed);
        breaker.call(Outcome::failure);
        breaker.call(Outcome::success);
    }
    EXPECT_EQ(breaker.state(), BreakerState::open);
    EXPECT_EQ(breaker.transitions().back().cause, TransitionCause::failure_rate);
}

TEST(CircuitBreaker, forgets_calls_older_than_the_window) {
    TestBreaker breaker;
    for (int pair = 0; pair < 9; ++pair) {
        breaker.call(Outcome::failure);
        breaker.call(Outcome::success);
    }
    EXPECT_EQ(breaker.status().window_calls, 18U);
    breaker.advance(10s);
    EXPECT_EQ(breaker.status().window_calls, 0U);
    breaker.call(Outcome::failure);
    breaker.call(Outcome::success);
    EXPECT_EQ(breaker.state(), BreakerState::closed);
}

TEST(CircuitBreaker, trips_on_slow_calls_only_when_asked_to) {
    TestBreaker off({.failure_rate_minimum_calls = 4, .slow_call = 1s});
    TestBreaker on({.failure_threshold = 0, .failure_rate_minimum_calls = 4, .slow_rate = 0.5, .slow_call = 1s});
    for (TestBreaker* breaker : {&off, &on}) {
        breaker->call_times(2, Outcome::success);
        for (int call = 0; call < 2; ++call) {
            auto permit = breaker->admit();
            breaker->advance(1s + 1ns);
            permit->report(Outcome::success, breaker->now());
        }
    }
    EXPECT_EQ(off.state(), BreakerState::closed);
    EXPECT_EQ(on.state(), BreakerState::open);
    EXPECT_EQ(on.transitions().back().cause, TransitionCause::slow_rate);
    on.advance(30s);
    EXPECT_TRUE(on.call(Outcome::slow));
    EXPECT_EQ(on.state(), BreakerState::open) << "a slow trial has failed";
}

TEST(CircuitBreaker, is_reset_to_closed_with_all_counts_at_zero) {
    TestBreaker breaker;
    breaker.call(Outcome::success);
    const auto succeeded_at = breaker.now();
    breaker.advance(1s);
    breaker.call_times(3, Outcome::failure);
    auto late = breaker.admit();
    const auto generation = breaker.status().generation;
    (*breaker).reset(breaker.now());
    const BreakerStatus status = breaker.status();
    EXPECT_EQ(status.state, BreakerState::closed);
    EXPECT_EQ(status.failure_count + status.consecutive_successes + status.recovery_attempts + status.window_calls, 0U);
    EXPECT_EQ(status.last_failure_at, std::nullopt);
    EXPECT_EQ(status.last_success_at, succeeded_at);
    EXPECT_EQ(status.generation, generation + 1);
}

TEST(CircuitBreaker, begins_a_generation_with_every_operator_action) {
    TestBreaker breaker;
    auto permit = breaker.admit();
    (*breaker).reset(breaker.now());
    permit->report(Outcome::failure, breaker.now());
    EXPECT_EQ(breaker.status().late_total, 1U);
    (*breaker).force_open(breaker.now());
    (*breaker).disable(breaker.now());
    EXPECT_EQ(breaker.status().generation, 3U);
}

TEST(CircuitBreaker, stays_forced_open_until_reset) {
    TestBreaker breaker;
    (*breaker).force_open(breaker.now());
    breaker.advance(std::chrono::hours(24));
    breaker.observe_probe(true);
    breaker.observe_probe(true);
    EXPECT_EQ(breaker.admit().error(), (Refusal{BreakerState::open, RefusalReason::forced_open, 0s}));
    EXPECT_FALSE(breaker.admit_probe());
    EXPECT_EQ(breaker.status().mode, BreakerMode::forced_open);
    (*breaker).reset(breaker.now());
    EXPECT_TRUE(breaker.admit());
    EXPECT_EQ(breaker.status().mode, BreakerMode::automatic);
}

TEST(CircuitBreaker, admits_everything_while_disabled_and_still_counts) {
    TestBreaker breaker;
    (*breaker).disable(breaker.now());
    breaker.call_times(40, Outcome::failure);
    breaker.call(Outcome::success);
    EXPECT_TRUE(breaker.admit());
    EXPECT_FALSE(breaker.status().is_enabled);
    EXPECT_EQ(breaker.status().window_failures, 40U);
    EXPECT_EQ(breaker.state(), BreakerState::closed);
}

TEST(CircuitBreaker, switched_off_by_its_settings_says_so_and_a_reset_leaves_it_off) {
    TestBreaker breaker({.enabled = false});
    breaker.call_times(40, Outcome::failure);
    (*breaker).reset(breaker.now());
    EXPECT_EQ(breaker.status().mode, BreakerMode::disabled);
    EXPECT_FALSE(breaker.status().is_enabled);
    EXPECT_TRUE(breaker.admit());
}

TEST(CircuitBreaker, starts_closed_with_the_time_of_its_start_as_last_success) {
    TestBreaker breaker;
    const BreakerStatus status = breaker.status();
    EXPECT_EQ(status.state, BreakerState::closed);
    EXPECT_EQ(status.last_success_at, breaker.now());
    EXPECT_EQ(status.last_failure_at, std::nullopt);
    EXPECT_EQ(status.changed_at, breaker.now());
    EXPECT_EQ(status.failure_threshold, 3U);
    EXPECT_EQ(status.recovery_timeout, 30s);
    EXPECT_EQ(status.max_recovery_attempts, 3U);
    EXPECT_TRUE(status.is_enabled);
}

TEST(CircuitBreaker, counts_refused_calls_of_traffic_and_tells_when_to_return) {
    TestBreaker breaker;
    breaker.call_times(3, Outcome::failure);
    breaker.advance(10s);
    EXPECT_EQ(breaker.admit().error(), (Refusal{BreakerState::open, RefusalReason::open, 20s}));
    EXPECT_FALSE(breaker.admit_probe());
    EXPECT_EQ(breaker.status().refused_total, 1U);
    EXPECT_EQ(breaker.status().time_until_retry, 20s);
    EXPECT_EQ(breaker.status().opened_total, 1U);
}

TEST(CircuitBreaker, announces_every_change_in_order) {
    TestBreaker breaker({.probe_deadline = 1s});
    breaker.call_times(3, Outcome::failure);
    breaker.advance(30s);
    const auto lost = breaker.admit();
    breaker.advance(1min);
    breaker.call_times(2, Outcome::success);
    std::vector<TransitionCause> causes;
    std::uint64_t generation = 0;
    for (const Transition& transition : breaker.transitions()) {
        causes.push_back(transition.cause);
        EXPECT_EQ(transition.generation, ++generation);
        EXPECT_EQ(transition.name, "mlflow");
    }
    EXPECT_EQ(causes,
              (std::vector{TransitionCause::failure_count,
                           TransitionCause::trial_due,
                           TransitionCause::trial_expired,
                           TransitionCause::trial_due,
                           TransitionCause::trial_succeeded}));
}

TEST(CircuitBreaker, survives_a_listener_that_throws_and_one_that_calls_back) {
    base::testing::FixedRandom random(0.0);
    const base::testing::ManualClock clock;
    CircuitBreaker* self = nullptr;
    BreakerState seen = BreakerState::closed;
    CircuitBreaker breaker("x", {.failure_threshold = 0}, random, clock.now(), [&](const Transition& transition) {
        seen = self->status(transition.at).state;
        throw std::runtime_error("listener");
    });
    self = &breaker;
    breaker.admit(clock.now())->report(Outcome::failure, clock.now());
    EXPECT_EQ(seen, BreakerState::open);
    EXPECT_FALSE(breaker.admit(clock.now()));
}

TEST(CircuitBreaker, keeps_working_when_time_stands_still_or_arrives_out_of_order) {
    TestBreaker breaker;
    const auto earlier = breaker.now() - 30min;
    for (int call = 0; call < 100; ++call) {
        breaker.call(Outcome::success);
        auto permit = (*breaker).admit(earlier);
        permit->report(Outcome::success, earlier);
    }
    EXPECT_EQ(breaker.status().window_calls, 200U);
    breaker.call_times(3, Outcome::failure);
    EXPECT_EQ(breaker.admit().error().retry_after, 30s);
}

TEST(CircuitBreaker, refuses_settings_that_cannot_work) {
    EXPECT_THROW(TestBreaker({.half_open_places = 0}), base::ConfigError);
}

}  // namespace
}  // namespace resilience
