// What the artifact cache counts.
#pragma once

#include <atomic>
#include <cstdint>

#include "telemetry/metrics.hpp"

namespace artifacts {

struct CacheMetrics {
    explicit CacheMetrics(telemetry::Metrics& metrics, std::int64_t limit);

    telemetry::Counter& hits;
    telemetry::Counter& misses;
    telemetry::Counter& evictions;
    telemetry::Counter& corrupt;
    telemetry::Counter& copies_kept;
    telemetry::Counter& copies_dropped;  // a client was faster than the disk, or the answer broke off
    telemetry::Counter& copies_failed;
    std::atomic<std::int64_t> bytes{0};
    std::atomic<std::int64_t> entries{0};
    std::atomic<std::int64_t> pinned_bytes{0};
    std::atomic<std::int64_t> pins{0};
    std::atomic<std::int64_t> pins_whole{0};
};

}  // namespace artifacts
