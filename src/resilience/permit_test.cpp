#include "resilience/permit.hpp"

#include <chrono>
#include <utility>

#include "resilience/testing/breaker_fixture.hpp"

#include <gtest/gtest.h>

using namespace std::chrono_literals;

namespace resilience {
namespace {

using resilience::testing::TestBreaker;

TEST(Permit, carries_generation_and_time_of_admission) {
    TestBreaker breaker;
    breaker.advance(5s);
    const auto permit = breaker.admit();
    EXPECT_EQ(permit->generation(), breaker.status().generation);
    EXPECT_EQ(permit->admitted_at(), breaker.now());
}

TEST(Permit, counts_a_second_report_and_ignores_it) {
    TestBreaker breaker;
    auto permit = breaker.admit();
    permit->report(Outcome::failure, breaker.now());
    permit->report(Outcome::failure, breaker.now());
    permit->report(Outcome::success, breaker.now());
    EXPECT_EQ(breaker.status().failure_count, 1U);
    EXPECT_EQ(breaker.status().double_report_total, 2U);
}

TEST(Permit, reports_abandoned_when_dropped) {
    TestBreaker breaker;
    {
        const auto permit = breaker.admit();
    }
    EXPECT_EQ(breaker.status().abandoned_total, 1U);
    EXPECT_EQ(breaker.status().failure_count, 0U);
    EXPECT_EQ(breaker.status().window_calls, 0U);
}

TEST(Permit, keeps_its_duty_when_moved) {
    TestBreaker breaker;
    {
        auto first = breaker.admit();
        Permit moved = std::move(*first);
        moved.report(Outcome::success, breaker.now());
    }
    EXPECT_EQ(breaker.status().abandoned_total, 0U);
    {
        auto first = breaker.admit();
        auto second = breaker.admit();
        *first = std::move(*second);
        EXPECT_EQ(breaker.status().abandoned_total, 1U) << "the one overwritten";
    }
    EXPECT_EQ(breaker.status().abandoned_total, 2U);
}

}  // namespace
}  // namespace resilience
