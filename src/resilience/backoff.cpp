#include "resilience/backoff.hpp"

#include <algorithm>

namespace resilience {
namespace {

constexpr std::chrono::seconds kShortestRetryAfter{15};
constexpr std::chrono::seconds kLongestRetryAfter{30};

}  // namespace

base::Duration backoff_delay(const BackoffSettings& settings, std::uint32_t attempt, base::Random& random) {
    base::Duration ceiling = std::min(settings.first, settings.cap);
    for (std::uint32_t step = 0; step < attempt && ceiling < settings.cap && ceiling > base::Duration::zero(); ++step) {
        ceiling = ceiling > settings.cap / 2 ? settings.cap : ceiling * 2;
    }
    return base::Duration(static_cast<base::Duration::rep>(static_cast<double>(ceiling.count()) * random.unit()));
}

std::chrono::seconds retry_after_seconds(base::Duration until_retry, base::Random& random) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(
        std::clamp<base::Duration>(until_retry, kShortestRetryAfter, kLongestRetryAfter));
    const std::int64_t choices = seconds.count() / 3 + 1;
    const std::chrono::seconds jitter(static_cast<std::int64_t>(static_cast<double>(choices) * random.unit()));
    return std::min(seconds + jitter, kLongestRetryAfter);
}

}  // namespace resilience
