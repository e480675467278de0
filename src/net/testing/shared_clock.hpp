// A clock for several threads that moves only when a test says so: a worker's deadlines pass without waiting for them.
#pragma once

#include <atomic>

#include "base/clock.hpp"

namespace net::testing {

// Safe from any thread.
class SharedClock final : public base::Clock {
public:
    [[nodiscard]] base::MonotonicTime now() const override {
        return base::MonotonicTime(std::chrono::hours(1)) + elapsed_.load();
    }

    [[nodiscard]] base::WallTime wall_now() const override {
        return base::WallTime(std::chrono::seconds(1'755'172'800)) +
               std::chrono::duration_cast<base::WallTime::duration>(elapsed_.load());
    }

    void advance(base::Duration duration) {
        elapsed_ = elapsed_.load() + duration;
    }

private:
    std::atomic<base::Duration> elapsed_{base::Duration(0)};
};

}  // namespace net::testing
