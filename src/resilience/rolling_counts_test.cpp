#include "resilience/rolling_counts.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include <gtest/gtest.h>

using namespace std::chrono_literals;

namespace resilience {
namespace {

constexpr base::MonotonicTime kCountingStart{1h};

TEST(RollingCounts, counts_each_counter_by_itself) {
    RollingCounts<2> counts(10s, kCountingStart);
    counts.add(0);
    counts.add(0);
    counts.add(1);
    EXPECT_EQ(counts.figure(0), 2U);
    EXPECT_EQ(counts.figure(1), 1U);
}

TEST(RollingCounts, keeps_what_happened_in_the_last_ten_slices) {
    RollingCounts<1> counts(10s, kCountingStart);
    counts.add(0);
    counts.advance(kCountingStart + 1s);
    counts.add(0);
    counts.advance(kCountingStart + 10s - 1ns);
    EXPECT_EQ(counts.figure(0), 2U);
    counts.advance(kCountingStart + 10s);
    EXPECT_EQ(counts.figure(0), 1U);
    counts.advance(kCountingStart + 11s);
    EXPECT_EQ(counts.figure(0), 0U);
    EXPECT_EQ(counts.total(0), 2U);
}

TEST(RollingCounts, stays_in_step_over_many_turns_of_the_ring) {
    RollingCounts<1> counts(10s, kCountingStart);
    for (int second = 1; second <= 95; ++second) {
        counts.add(0);
        counts.advance(kCountingStart + std::chrono::seconds(second));
        EXPECT_EQ(counts.figure(0), static_cast<std::uint64_t>(std::min(second, 9)));
    }
}

TEST(RollingCounts, is_empty_after_any_long_gap) {
    for (const base::Duration gap : {base::Duration(10s), base::Duration(1h), base::Duration(std::chrono::years(50))}) {
        RollingCounts<1> counts(10s, kCountingStart);
        counts.add(0);
        counts.advance(kCountingStart + gap);
        EXPECT_EQ(counts.figure(0), 0U);
        counts.add(0);
        counts.advance(kCountingStart + gap + 9s);
        EXPECT_EQ(counts.figure(0), 1U);
    }
}

TEST(RollingCounts, takes_equal_and_earlier_times_into_the_current_slice) {
    RollingCounts<1> counts(10s, kCountingStart);
    counts.advance(kCountingStart + 5s);
    for (int call = 0; call < 1000; ++call) {
        counts.advance(kCountingStart + 3s);
        counts.add(0);
    }
    EXPECT_EQ(counts.figure(0), 1000U);
    EXPECT_FALSE(counts.is_slice_over(kCountingStart + 6s - 1ns));
    EXPECT_TRUE(counts.is_slice_over(kCountingStart + 6s));
}

TEST(RollingCounts, forgets_when_told) {
    RollingCounts<1> counts(10s, kCountingStart);
    counts.add(0);
    counts.forget();
    EXPECT_EQ(counts.figure(0), 0U);
    counts.add(0);
    counts.advance(kCountingStart + 9s);
    EXPECT_EQ(counts.figure(0), 1U);
}

}  // namespace
}  // namespace resilience
