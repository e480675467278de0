#include "health/check_tracker.hpp"

#include "base/testing/fixed_random.hpp"
#include "base/testing/manual_clock.hpp"

#include <gtest/gtest.h>

namespace health {

namespace {

using namespace std::chrono_literals;

ProbeResult good() {
    return {.passed = true, .latency = 3ms, .status_code = 200};
}

ProbeResult refused() {
    return {.refused = true, .error = "connection refused", .kind = "refused"};
}

ProbeResult timed_out() {
    return {.error = "no answer in 2 s", .kind = std::string(kTimeout)};
}

ProbeResult busy() {
    return {.error = "slow, but other answers arrive", .kind = std::string(kBusy)};
}

class CheckTrackerTest : public ::testing::Test {
protected:
    CheckState record(const ProbeResult& result) {
        clock.advance(1s);
        tracker.record(result, clock.now());
        return tracker.facts().state;
    }

    base::testing::ManualClock clock;
    CheckTracker tracker{CheckSettings{}, clock.now()};
};

}  // namespace

TEST_F(CheckTrackerTest, is_unknown_until_the_first_result) {
    EXPECT_EQ(tracker.facts().state, CheckState::unknown);
    EXPECT_FALSE(tracker.facts().age(clock.now()).has_value());
}

TEST_F(CheckTrackerTest, first_success_counts_at_once) {
    EXPECT_EQ(record(good()), CheckState::passing);
}

TEST_F(CheckTrackerTest, first_failure_counts_at_once) {
    EXPECT_EQ(record(timed_out()), CheckState::failing);
}

TEST_F(CheckTrackerTest, goes_down_after_one_refused_connection) {
    record(good());
    EXPECT_EQ(record(refused()), CheckState::failing);
}

TEST_F(CheckTrackerTest, goes_down_after_two_other_failures_in_a_row) {
    record(good());
    EXPECT_EQ(record(timed_out()), CheckState::passing);
    EXPECT_EQ(record(timed_out()), CheckState::failing);
}

TEST_F(CheckTrackerTest, comes_up_after_two_successes_in_a_row) {
    record(refused());
    EXPECT_EQ(record(good()), CheckState::failing);
    EXPECT_EQ(record(good()), CheckState::passing);
}

TEST_F(CheckTrackerTest, single_failures_between_successes_change_nothing) {
    record(good());
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(record(timed_out()), CheckState::passing);
        EXPECT_EQ(record(good()), CheckState::passing);
    }
}

TEST_F(CheckTrackerTest, single_successes_between_failures_change_nothing) {
    record(timed_out());
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(record(good()), CheckState::failing);
        EXPECT_EQ(record(timed_out()), CheckState::failing);
    }
}

TEST_F(CheckTrackerTest, keeps_the_reason_while_failing_even_after_a_success) {
    record(refused());
    record(good());
    EXPECT_EQ(tracker.facts().state, CheckState::failing);
    EXPECT_EQ(tracker.facts().last_failure.error, "connection refused");
}

TEST_F(CheckTrackerTest, busy_is_shown_and_never_lowers_the_state) {
    record(good());
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(record(busy()), CheckState::passing);
    }
    EXPECT_TRUE(tracker.facts().last.is_busy());
}

TEST_F(CheckTrackerTest, busy_ends_a_run_of_failures) {
    record(good());
    record(timed_out());
    record(busy());
    EXPECT_EQ(record(timed_out()), CheckState::passing);
}

TEST_F(CheckTrackerTest, busy_does_not_bring_a_failing_dependency_up) {
    record(refused());
    record(busy());
    record(busy());
    EXPECT_EQ(tracker.facts().state, CheckState::failing);
}

TEST_F(CheckTrackerTest, a_first_busy_answer_leaves_the_state_unknown) {
    EXPECT_EQ(record(busy()), CheckState::unknown);
}

TEST_F(CheckTrackerTest, counts_probes_and_failures) {
    record(good());
    record(timed_out());
    record(busy());
    EXPECT_EQ(tracker.facts().probes_total, 3U);
    EXPECT_EQ(tracker.facts().failures_total, 2U);
}

TEST_F(CheckTrackerTest, is_stale_after_two_intervals_and_a_deadline) {
    record(good());
    clock.advance(12s);
    EXPECT_FALSE(tracker.facts().is_stale(clock.now()));
    clock.advance(1ns);
    EXPECT_TRUE(tracker.facts().is_stale(clock.now()));
}

TEST_F(CheckTrackerTest, is_stale_when_no_result_ever_came) {
    clock.advance(12s + 1ns);
    EXPECT_TRUE(tracker.facts().is_stale(clock.now()));
}

TEST_F(CheckTrackerTest, a_new_result_ends_staleness) {
    clock.advance(1h);
    record(good());
    EXPECT_FALSE(tracker.facts().is_stale(clock.now()));
    EXPECT_EQ(tracker.facts().age(clock.now()), base::Duration::zero());
}

TEST_F(CheckTrackerTest, what_is_not_configured_is_never_stale) {
    EXPECT_FALSE(CheckFacts{}.is_stale(clock.now()));
}

TEST_F(CheckTrackerTest, probes_every_5_s_and_every_1_s_while_the_last_result_differs_from_the_state_shown) {
    base::testing::FixedRandom middle(0.5);
    record(good());
    EXPECT_EQ(tracker.next_delay(middle), 5s);
    record(timed_out());
    EXPECT_EQ(tracker.next_delay(middle), 1s);
    record(timed_out());
    EXPECT_EQ(tracker.next_delay(middle), 5s);
    record(good());
    EXPECT_EQ(tracker.next_delay(middle), 1s);
    record(good());
    EXPECT_EQ(tracker.next_delay(middle), 5s);
}

TEST_F(CheckTrackerTest, hurries_when_asked_but_not_because_a_peer_is_busy) {
    base::testing::FixedRandom middle(0.5);
    record(good());
    EXPECT_EQ(tracker.next_delay(middle, true), 1s);
    record(busy());
    EXPECT_EQ(tracker.next_delay(middle), 5s);
}

TEST_F(CheckTrackerTest, spreads_probes_by_a_tenth_both_ways) {
    base::testing::FixedRandom least(0.0);
    base::testing::FixedRandom most(1.0 - 0x1.0p-53);
    record(good());
    EXPECT_EQ(tracker.next_delay(least), 4500ms);
    EXPECT_NEAR(std::chrono::duration<double>(tracker.next_delay(most)).count(), 5.5, 1e-6);
}

TEST(JudgeLateness, a_pass_after_the_deadline_is_a_timeout) {
    const ProbeResult late = judge_lateness({.passed = true}, 2100ms, 2s);
    EXPECT_FALSE(late.passed);
    EXPECT_EQ(late.kind, kTimeout);
    EXPECT_EQ(late.error, "answered after 2.1 s, later than the deadline of 2.0 s");
}

TEST(JudgeLateness, a_pass_in_time_stays_one_with_the_time_it_took) {
    const ProbeResult in_time = judge_lateness({.passed = true}, 2s, 2s);
    EXPECT_TRUE(in_time.passed);
    EXPECT_EQ(in_time.latency, 2s);
}

TEST(JudgeLateness, a_late_failure_keeps_its_own_kind) {
    EXPECT_EQ(judge_lateness({.error = "busy", .kind = std::string(kBusy)}, 5s, 2s).kind, kBusy);
}

}  // namespace health
