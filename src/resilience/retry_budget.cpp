#include "resilience/retry_budget.hpp"

namespace resilience {
namespace {

constexpr std::size_t kRequests = 0;
constexpr std::size_t kRetries = 1;

RetryBudgetSettings validated_budget(const RetryBudgetSettings& settings) {
    if (const auto result = settings.validate(); !result) {
        throw base::ConfigError("retry budget: " + result.error().message);
    }
    return settings;
}

}  // namespace

base::Result<void> RetryBudgetSettings::validate() const {
    const bool is_share = share >= 0.0 && share <= 1.0;  // false for NaN as well
    if (!is_share) {
        return base::fail(base::Code::invalid_argument, "share must be between 0 and 1");
    }
    if (window < std::chrono::milliseconds(1) || window > std::chrono::hours(1)) {
        return base::fail(base::Code::invalid_argument, "window must be between 1 ms and 1 hour");
    }
    return {};
}

RetryBudget::RetryBudget(const RetryBudgetSettings& settings, base::MonotonicTime now)
    : settings_(validated_budget(settings)), counts_(settings.window, now) {}

void RetryBudget::count_request(base::MonotonicTime now) {
    if (counts_.is_slice_over(now)) {
        if (const std::unique_lock lock(mutex_, std::try_to_lock); lock) {
            counts_.advance(now);
        }
    }
    counts_.add(kRequests);
}

bool RetryBudget::try_spend(base::MonotonicTime now) {
    const std::lock_guard lock(mutex_);
    counts_.advance(now);
    const double reserve = settings_.minimum_per_second * std::chrono::duration<double>(settings_.window).count();
    const double allowed = settings_.share * static_cast<double>(counts_.figure(kRequests)) + reserve;
    if (static_cast<double>(counts_.figure(kRetries) + 1) > allowed) {
        exhausted_total_.fetch_add(1, std::memory_order_relaxed);
        return false;
    }
    counts_.add(kRetries);
    return true;
}

std::uint64_t RetryBudget::spent_total() const {
    return counts_.total(kRetries);
}

std::uint64_t RetryBudget::exhausted_total() const {
    return exhausted_total_.load(std::memory_order_relaxed);
}

}  // namespace resilience
