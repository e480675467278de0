#include "resilience/retry_budget.hpp"

#include <chrono>
#include <limits>

#include <gtest/gtest.h>

using namespace std::chrono_literals;

namespace resilience {
namespace {

constexpr base::MonotonicTime kBudgetStart{1h};

int spend_all(RetryBudget& budget, base::MonotonicTime now) {
    int spent = 0;
    while (budget.try_spend(now)) {
        ++spent;
    }
    return spent;
}

TEST(RetryBudget, allows_a_tenth_of_the_requests_and_the_reserve) {
    RetryBudget budget({}, kBudgetStart);
    for (int request = 0; request < 1000; ++request) {
        budget.count_request(kBudgetStart);
    }
    EXPECT_EQ(spend_all(budget, kBudgetStart), 100 + 10);
    EXPECT_EQ(budget.spent_total(), 110U);
    EXPECT_EQ(budget.exhausted_total(), 1U);
}

TEST(RetryBudget, lets_a_quiet_client_retry) {
    RetryBudget budget({.minimum_per_second = 2, .window = 5s}, kBudgetStart);
    EXPECT_EQ(spend_all(budget, kBudgetStart), 10);
    EXPECT_EQ(spend_all(budget, kBudgetStart + 4s), 0);
    EXPECT_EQ(spend_all(budget, kBudgetStart + 5s), 10);
}

TEST(RetryBudget, forgets_requests_and_retries_with_the_window) {
    RetryBudget budget({.minimum_per_second = 0}, kBudgetStart);
    for (int request = 0; request < 50; ++request) {
        budget.count_request(kBudgetStart);
    }
    EXPECT_EQ(spend_all(budget, kBudgetStart + 9s), 5);
    EXPECT_EQ(spend_all(budget, kBudgetStart + 10s), 0);
    for (int request = 0; request < 100; ++request) {
        budget.count_request(kBudgetStart + 12s);
    }
    EXPECT_EQ(spend_all(budget, kBudgetStart + 12s), 5) << "the five spent at 9 s still count";
    EXPECT_EQ(spend_all(budget, kBudgetStart + 19s), 5);
}

TEST(RetryBudget, allows_nothing_at_zero) {
    RetryBudget budget({.share = 0.0, .minimum_per_second = 0}, kBudgetStart);
    budget.count_request(kBudgetStart);
    EXPECT_FALSE(budget.try_spend(kBudgetStart));
}

TEST(RetryBudget, refuses_settings_that_cannot_work) {
    EXPECT_THROW(RetryBudget({.share = -0.1}, kBudgetStart), base::ConfigError);
    EXPECT_THROW(RetryBudget({.share = std::numeric_limits<double>::quiet_NaN()}, kBudgetStart), base::ConfigError);
    EXPECT_THROW(RetryBudget({.window = 0s}, kBudgetStart), base::ConfigError);
}

}  // namespace
}  // namespace resilience
