// When an open breaker tries again: the open time, the peer's own wish, zero settings, and the background prober.
#include <chrono>
#include <limits>

#include "resilience/testing/breaker_fixture.hpp"

#include <gtest/gtest.h>

using namespace std::chrono_literals;

namespace resilience {
namespace {

using resilience::testing::TestBreaker;

CircuitBreakerSettings with_prober() {
    return {.probes_only_in_half_open = true};
}

void fail_next_trial(TestBreaker& breaker) {
    breaker.advance(breaker.status().time_until_retry);
    ASSERT_TRUE(breaker.call(Outcome::failure));
}

TEST(CircuitBreakerRecovery, tries_twice_on_time_then_waits_four_times_as_long_up_to_the_cap) {
    TestBreaker breaker({.recovery_timeout = 2s});
    breaker.call_times(3, Outcome::failure);
    for (const base::Duration expected : {2s, 2s, 8s, 32s, 60s, 60s}) {
        EXPECT_EQ(breaker.status().time_until_retry, expected);
        breaker.advance(expected - 1ns);
        EXPECT_FALSE(breaker.admit());
        breaker.advance(1ns);
        EXPECT_TRUE(breaker.call(Outcome::failure));
    }
}

TEST(CircuitBreakerRecovery, never_gives_up_and_says_when_it_is_overdue) {
    TestBreaker breaker;
    breaker.call_times(3, Outcome::failure);
    for (std::uint32_t attempt = 1; attempt <= 500; ++attempt) {
        EXPECT_EQ(breaker.status().has_exhausted_recovery_attempts, attempt > 3) << attempt;
        fail_next_trial(breaker);
        EXPECT_EQ(breaker.status().recovery_attempts, attempt);
    }
    breaker.advance(60s);
    breaker.call_times(2, Outcome::success);
    EXPECT_EQ(breaker.state(), BreakerState::closed);
    EXPECT_FALSE(breaker.status().has_exhausted_recovery_attempts);
}

TEST(CircuitBreakerRecovery, starts_over_with_short_waits_after_it_closed) {
    TestBreaker breaker;
    breaker.call_times(3, Outcome::failure);
    fail_next_trial(breaker);
    fail_next_trial(breaker);
    EXPECT_EQ(breaker.status().time_until_retry, 60s);
    breaker.advance(60s);
    breaker.call_times(2, Outcome::success);
    breaker.call_times(3, Outcome::failure);
    EXPECT_EQ(breaker.status().time_until_retry, 30s);
}

TEST(CircuitBreakerRecovery, lengthens_the_wait_by_chance_within_a_tenth) {
    TestBreaker breaker({}, 0.5);
    breaker.call_times(3, Outcome::failure);
    EXPECT_EQ(breaker.status().time_until_retry, 31500ms);
}

TEST(CircuitBreakerRecovery, waits_as_long_as_an_overloaded_peer_asked_and_counts_no_attempt) {
    TestBreaker breaker;
    breaker.call_times(3, Outcome::failure);
    breaker.advance(30s);
    EXPECT_TRUE(breaker.call(Outcome::overload, 7s));
    EXPECT_EQ(breaker.status().time_until_retry, 7s);
    EXPECT_EQ(breaker.status().recovery_attempts, 0U);
    EXPECT_EQ(breaker.status().failure_count, 3U);
    EXPECT_EQ(breaker.transitions().back().cause, TransitionCause::peer_overloaded);
    breaker.advance(7s);
    EXPECT_TRUE(breaker.call(Outcome::overload, std::chrono::hours(1)));
    EXPECT_EQ(breaker.status().time_until_retry, 60s) << "honoured up to a minute";
    breaker.advance(60s);
    for (const std::optional<base::Duration> none : {std::optional<base::Duration>(-5s), {0s}, {std::nullopt}}) {
        EXPECT_TRUE(breaker.call(Outcome::overload, none));
        EXPECT_EQ(breaker.status().time_until_retry, 30s) << "the open time";
        breaker.advance(30s);
    }
}

TEST(CircuitBreakerRecovery, never_tries_before_the_peer_said_even_if_it_opens_for_another_reason) {
    TestBreaker breaker({.recovery_timeout = 5s});
    breaker.call(Outcome::overload, 40s);
    breaker.advance(10s);
    breaker.call_times(3, Outcome::failure);
    EXPECT_EQ(breaker.status().time_until_retry, 30s);
    breaker.observe_probe(true);
    breaker.observe_probe(true);
    EXPECT_EQ(breaker.status().time_until_retry, 30s);
}

TEST(CircuitBreakerRecovery, honours_a_wish_that_comes_with_a_failure) {
    TestBreaker breaker({.failure_threshold = 1});
    breaker.call(Outcome::failure, 45s);
    EXPECT_EQ(breaker.status().time_until_retry, 45s);
}

TEST(CircuitBreakerRecovery, zero_threshold_opens_at_the_first_failure) {
    TestBreaker breaker({.failure_threshold = 0});
    breaker.call_times(50, Outcome::success);
    EXPECT_EQ(breaker.state(), BreakerState::closed);
    breaker.call(Outcome::failure);
    EXPECT_EQ(breaker.state(), BreakerState::open);
}

TEST(CircuitBreakerRecovery, zero_timeout_makes_the_next_call_the_trial_every_time) {
    TestBreaker breaker({.recovery_timeout = 0s}, 0.99);
    breaker.call_times(3, Outcome::failure);
    for (int trial = 0; trial < 50; ++trial) {
        EXPECT_EQ(breaker.state(), BreakerState::open);
        EXPECT_TRUE(breaker.call(Outcome::failure));
    }
    breaker.call_times(2, Outcome::success);
    EXPECT_EQ(breaker.state(), BreakerState::closed);
}

TEST(CircuitBreakerRecovery, zero_timeout_makes_the_next_probe_the_trial) {
    CircuitBreakerSettings settings = with_prober();
    settings.recovery_timeout = 0s;
    TestBreaker breaker(settings);
    breaker.call_times(3, Outcome::failure);
    EXPECT_FALSE(breaker.admit());
    EXPECT_TRUE(breaker.probe(Outcome::success));
}

TEST(CircuitBreakerProber, opens_and_closes_without_any_traffic) {
    TestBreaker breaker(with_prober());
    for (int cycle = 0; cycle < 3; ++cycle) {
        EXPECT_TRUE(breaker.probe(Outcome::failure));
        breaker.advance(5s);
    }
    EXPECT_EQ(breaker.state(), BreakerState::open);
    breaker.advance(30s);
    EXPECT_TRUE(breaker.probe(Outcome::success));
    breaker.advance(1s);
    EXPECT_TRUE(breaker.probe(Outcome::success));
    EXPECT_EQ(breaker.state(), BreakerState::closed);
}

TEST(CircuitBreakerProber, refuses_traffic_until_closed) {
    TestBreaker breaker(with_prober());
    breaker.call_times(3, Outcome::failure);
    breaker.advance(31s);
    EXPECT_EQ(breaker.admit().error(), (Refusal{BreakerState::open, RefusalReason::open, 0s}));
    EXPECT_TRUE(breaker.probe(Outcome::success));
    EXPECT_EQ(breaker.admit().error(), (Refusal{BreakerState::half_open, RefusalReason::trial_running, 1s}));
    breaker.advance(1s);
    EXPECT_TRUE(breaker.probe(Outcome::success));
    EXPECT_TRUE(breaker.admit());
}

TEST(CircuitBreakerProber, traffic_notices_a_probe_that_missed_its_deadline) {
    CircuitBreakerSettings settings = with_prober();
    settings.probe_deadline = 5s;
    TestBreaker breaker(settings);
    breaker.call_times(3, Outcome::failure);
    breaker.advance(30s);
    const auto lost = breaker.admit_probe();
    breaker.advance(6s);
    EXPECT_EQ(breaker.admit().error(), (Refusal{BreakerState::open, RefusalReason::open, 29s}));
}

TEST(CircuitBreakerProber, keeps_trials_a_second_apart) {
    CircuitBreakerSettings settings = with_prober();
    settings.half_open_places = 2;
    TestBreaker breaker(settings);
    breaker.call_times(3, Outcome::failure);
    breaker.advance(30s);
    EXPECT_TRUE(breaker.probe(Outcome::success));
    breaker.advance(1s - 1ns);
    EXPECT_FALSE(breaker.probe(Outcome::success));
    breaker.advance(1ns);
    EXPECT_TRUE(breaker.probe(Outcome::success));
}

TEST(CircuitBreakerProber, starts_a_trial_early_after_two_good_probes_in_a_row) {
    TestBreaker breaker(with_prober());
    breaker.call_times(3, Outcome::failure);
    breaker.advance(5s);
    for (const bool is_success : {true, false, true}) {
        breaker.observe_probe(is_success);
        EXPECT_FALSE(breaker.admit_probe());
    }
    breaker.observe_probe(true);
    EXPECT_EQ(breaker.status().time_until_retry, 0s);
    EXPECT_TRUE(breaker.probe(Outcome::success));
    EXPECT_EQ(breaker.transitions().back().cause, TransitionCause::early_trial);
}

TEST(CircuitBreakerProber, does_not_chase_a_flapping_peer) {
    TestBreaker breaker(with_prober());
    breaker.call_times(3, Outcome::failure);
    breaker.observe_probe(true);
    breaker.observe_probe(true);
    EXPECT_TRUE(breaker.probe(Outcome::failure));
    breaker.observe_probe(true);
    breaker.observe_probe(true);
    breaker.observe_probe(true);
    EXPECT_EQ(breaker.status().time_until_retry, 30s) << "after a failed early trial the full open time holds";
    breaker.advance(30s);
    EXPECT_TRUE(breaker.probe(Outcome::failure));
    EXPECT_EQ(breaker.status().time_until_retry, 60s);
    breaker.observe_probe(true);
    breaker.observe_probe(true);
    EXPECT_EQ(breaker.status().time_until_retry, 0s) << "after a failed trial that came on time it may be early again";
}

TEST(CircuitBreakerProber, waits_the_full_time_when_early_trials_are_off) {
    CircuitBreakerSettings settings = with_prober();
    settings.early_trial = false;
    TestBreaker breaker(settings);
    breaker.call_times(3, Outcome::failure);
    breaker.observe_probe(true);
    breaker.observe_probe(true);
    EXPECT_EQ(breaker.status().time_until_retry, 30s);
}

TEST(OpenTime, follows_the_rule) {
    CircuitBreakerSettings settings;
    EXPECT_EQ(open_time(settings, 0, 0.0), 30s);
    EXPECT_EQ(open_time(settings, 1, 0.0), 30s);
    EXPECT_EQ(open_time(settings, 2, 0.0), 60s);
    EXPECT_EQ(open_time(settings, std::numeric_limits<std::uint32_t>::max(), 0.999), 60s);
    settings.recovery_timeout = 100ms;
    EXPECT_EQ(open_time(settings, 2, 0.0), 400ms);
    EXPECT_EQ(open_time(settings, 5, 0.5), 26880ms);
    settings.recovery_timeout = 90s;
    EXPECT_EQ(open_time(settings, 7, 0.5), 90s) << "capped at the configured timeout when that is longer";
    settings.recovery_timeout = 0s;
    EXPECT_EQ(open_time(settings, std::numeric_limits<std::uint32_t>::max(), 0.999), 0s);
    settings.recovery_timeout = std::chrono::hours(24 * 365);
    EXPECT_EQ(open_time(settings, 40, 0.999), std::chrono::hours(24 * 365));
}

TEST(CircuitBreakerSettings, names_what_is_wrong) {
    const auto complaint = [](const CircuitBreakerSettings& settings) {
        const auto result = settings.validate();
        return result ? std::string() : result.error().message.substr(0, result.error().message.find(' '));
    };
    const double nan = std::numeric_limits<double>::quiet_NaN();
    EXPECT_EQ(complaint({}), "");
    EXPECT_EQ(complaint({.failure_threshold = 0, .recovery_timeout = 0s, .max_recovery_attempts = 0}), "");
    EXPECT_EQ(complaint({.failure_threshold = 1'000'001}), "failure_threshold");
    EXPECT_EQ(complaint({.recovery_timeout = -1ns}), "recovery_timeout");
    EXPECT_EQ(complaint({.recovery_timeout = base::Duration::max()}), "recovery_timeout");
    EXPECT_EQ(complaint({.half_open_places = 0}), "half_open_places");
    EXPECT_EQ(complaint({.successes_to_close = 0}), "successes_to_close");
    EXPECT_EQ(complaint({.probe_deadline = 0s}), "probe_deadline");
    EXPECT_EQ(complaint({.failure_rate = nan}), "failure_rate");
    EXPECT_EQ(complaint({.failure_rate = 1.01}), "failure_rate");
    EXPECT_EQ(complaint({.failure_rate_minimum_calls = 0}), "failure_rate_minimum_calls");
    EXPECT_EQ(complaint({.window = 0s}), "window");
    EXPECT_EQ(complaint({.slow_rate = -0.1}), "slow_rate");
    EXPECT_EQ(complaint({.slow_call = -1s}), "slow_call");
    EXPECT_EQ(complaint({.max_jitter = nan}), "max_jitter");
    EXPECT_EQ(complaint({.max_open = -1s}), "max_open");
    EXPECT_EQ(complaint({.max_peer_wait = -1s}), "max_peer_wait");
    EXPECT_EQ(complaint({.trial_spacing = -1s}), "trial_spacing");
}

TEST(Refusal, is_described_with_name_state_and_time) {
    EXPECT_EQ(describe("mlflow", {BreakerState::open, RefusalReason::open, 12500ms}),
              "mlflow: circuit breaker is OPEN, next trial in 12.5 s");
    EXPECT_EQ(describe("redis", {BreakerState::half_open, RefusalReason::trial_running, 1s}),
              "redis: circuit breaker is HALF_OPEN, its trial ends within 1.0 s");
    EXPECT_EQ(describe("auth", {BreakerState::open, RefusalReason::forced_open, 0s}),
              "auth: circuit breaker was opened by an operator");
}

}  // namespace
}  // namespace resilience
