// Keeps retries a small share of the requests, so that they cannot turn a slow peer into a dead one.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "resilience/rolling_counts.hpp"

namespace resilience {

struct RetryBudgetSettings {
    double share = 0.10;                   // retries per request, within the window
    std::uint32_t minimum_per_second = 1;  // allowed besides, for quiet times
    base::Duration window = std::chrono::seconds(10);

    // invalid_argument naming the setting and its range.
    [[nodiscard]] base::Result<void> validate() const;
};

// The budget of Finagle (com.twitter.finagle.service.RetryBudget: a share of the requests of the last ten seconds plus
// a reserve per second), with the share that Google's SRE book gives for one client (chapter 21, "Handling Overload").
//
// Safe from any thread; counting a request takes no lock.
class RetryBudget {
public:
    // Throws base::ConfigError when the settings do not validate.
    RetryBudget(const RetryBudgetSettings& settings, base::MonotonicTime now);

    RetryBudget(const RetryBudget&) = delete;
    RetryBudget& operator=(const RetryBudget&) = delete;

    // A request came in; call it once for each, and not for its retries.
    void count_request(base::MonotonicTime now);

    // True when a retry may be sent now; it is spent by asking.
    [[nodiscard]] bool try_spend(base::MonotonicTime now);

    [[nodiscard]] std::uint64_t spent_total() const;
    [[nodiscard]] std::uint64_t exhausted_total() const;

private:
    const RetryBudgetSettings settings_;
    RollingCounts<2> counts_;
    std::atomic<std::uint64_t> exhausted_total_{0};
    std::mutex mutex_;  // guards the advance of counts_, and spending
};

}  // namespace resilience
