// A clock that moves only when a test says so.
#pragma once

#include "base/clock.hpp"

namespace base::testing {

class ManualClock final : public Clock {
public:
    [[nodiscard]] MonotonicTime now() const override {
        return now_;
    }

    [[nodiscard]] WallTime wall_now() const override {
        return wall_;
    }

    void advance(Duration duration) {
        now_ += duration;
        wall_ += std::chrono::duration_cast<WallTime::duration>(duration);
    }

    // Moves only the clock people read, as an administrator or NTP does.
    void jump_wall(Duration duration) {
        wall_ += std::chrono::duration_cast<WallTime::duration>(duration);
    }

private:
    MonotonicTime now_{std::chrono::hours(1)};
    WallTime wall_{std::chrono::seconds(1'755'172'800)};  // 2025-08-14T12:00:00Z
};

}  // namespace base::testing
