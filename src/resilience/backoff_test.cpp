#include "resilience/backoff.hpp"

#include <chrono>
#include <limits>

#include "base/testing/fixed_random.hpp"

#include <gtest/gtest.h>

using namespace std::chrono_literals;

namespace resilience {
namespace {

using base::testing::FixedRandom;

constexpr std::uint32_t kManyAttempts = std::numeric_limits<std::uint32_t>::max();

TEST(Backoff, doubles_the_range_it_draws_from_up_to_the_cap) {
    FixedRandom half(0.5);
    const BackoffSettings settings{.first = 100ms, .cap = 1s};
    EXPECT_EQ(backoff_delay(settings, 0, half), 50ms);
    EXPECT_EQ(backoff_delay(settings, 1, half), 100ms);
    EXPECT_EQ(backoff_delay(settings, 3, half), 400ms);
    EXPECT_EQ(backoff_delay(settings, 4, half), 500ms);
    EXPECT_EQ(backoff_delay(settings, kManyAttempts, half), 500ms);
}

TEST(Backoff, draws_from_the_whole_range) {
    FixedRandom lowest(0.0);
    FixedRandom highest(0.9999);
    EXPECT_EQ(backoff_delay({}, 5, lowest), 0ms);
    EXPECT_GT(backoff_delay({}, 5, highest), 3190ms);
    EXPECT_LT(backoff_delay({}, 5, highest), 3200ms);
}

TEST(Backoff, does_not_overflow_or_hang_at_the_extremes) {
    FixedRandom half(0.5);
    EXPECT_EQ(backoff_delay({.first = 0s, .cap = 1s}, kManyAttempts, half), 0s);
    EXPECT_EQ(backoff_delay({.first = 5s, .cap = 1s}, 0, half), 500ms);
    EXPECT_GT(backoff_delay({.first = 1s, .cap = base::Duration::max()}, kManyAttempts, half), 1000h);
}

TEST(RetryAfter, stays_between_fifteen_and_thirty_seconds) {
    for (const double chance : {0.0, 0.5, 0.999999}) {
        FixedRandom random(chance);
        for (const base::Duration until : {-1s, 0s, 10s, 20s, 30s, 3600s}) {
            EXPECT_GE(retry_after_seconds(until, random), 15s);
            EXPECT_LE(retry_after_seconds(until, random), 30s);
        }
    }
}

TEST(RetryAfter, is_never_before_the_next_trial_and_lengthened_by_up_to_a_third) {
    FixedRandom lowest(0.0);
    FixedRandom highest(0.999999);
    EXPECT_EQ(retry_after_seconds(0s, lowest), 15s);
    EXPECT_EQ(retry_after_seconds(0s, highest), 20s);
    EXPECT_EQ(retry_after_seconds(17200ms, lowest), 18s);
    EXPECT_EQ(retry_after_seconds(17200ms, highest), 24s);
    EXPECT_EQ(retry_after_seconds(29s, highest), 30s);
}

}  // namespace
}  // namespace resilience
