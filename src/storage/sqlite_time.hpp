// Times as the tables keep them: microseconds since the epoch, UTC.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.hpp"

namespace storage {

inline std::int64_t to_microseconds(base::WallTime time) {
    return std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch()).count();
}

inline base::WallTime from_microseconds(std::int64_t count) {
    return base::WallTime(std::chrono::microseconds(count));
}

}  // namespace storage
