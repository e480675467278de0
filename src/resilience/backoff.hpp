// How long to wait before trying again.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.hpp"
#include "base/random.hpp"

namespace resilience {

struct BackoffSettings {
    base::Duration first = std::chrono::milliseconds(100);
    base::Duration cap = std::chrono::seconds(20);
};

// Full jitter: uniform in [0, min(cap, first * 2^attempt)), where the first retry is attempt 0. Spreading the whole
// range, not only its end, does the least work in total (AWS Architecture Blog, "Exponential Backoff And Jitter",
// 2015).
base::Duration backoff_delay(const BackoffSettings& settings, std::uint32_t attempt, base::Random& random);

// The Retry-After of a refused call, given when the next recovery trial may start: that time in whole seconds,
// lengthened by up to a third so that callers do not return together, never below 15 and never above 30. MLflow's
// client tries 7 times, so it rides out more than a minute at 15, and wakes soon after recovery at 30.
std::chrono::seconds retry_after_seconds(base::Duration until_retry, base::Random& random);

}  // namespace resilience
