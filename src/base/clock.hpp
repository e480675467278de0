// The two clocks of the process, injected so that tests run on simulated time.
#pragma once

#include <chrono>
#include <string>

namespace base {

using Duration = std::chrono::nanoseconds;
using MonotonicTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

// Answers "what time is it?". Monotonic time decides, wall time is only shown to people. Safe from any thread.
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual MonotonicTime now() const = 0;
    [[nodiscard]] virtual WallTime wall_now() const = 0;
};

class SystemClock final : public Clock {
public:
    [[nodiscard]] MonotonicTime now() const override;
    [[nodiscard]] WallTime wall_now() const override;
};

// Seconds since the Unix epoch, with fraction.
double to_epoch_seconds(WallTime time);

// "2025-08-14T12:00:00.123456": naive UTC with microseconds, the form existing clients parse.
std::string to_naive_iso8601(WallTime time);

// "2025-08-14T12:00:00.123456Z", for everything new.
std::string to_iso8601(WallTime time);

// "Thu, 14 Aug 2025 12:00:00 GMT": the Date header of RFC 9110, section 5.6.7.
std::string to_http_date(WallTime time);

}  // namespace base
