// What a health answer is made from.
#pragma once

#include <string>

#include "base/clock.hpp"
#include "health/report.hpp"

namespace health {

// Facts of this process that don't change.
struct Identity {
    std::string version;
    std::string git_commit;
    std::string build_date;
    std::string environment;  // ENVIRONMENT, else "unknown"
    base::MonotonicTime started_at;
    base::Duration probe_deadline = std::chrono::seconds(2);
    bool serves_artifacts = true;  // MLFLOW_SERVE_ARTIFACTS
    bool debugs_proxy = false;     // MLFLOW_PROXY_DEBUG
};

// One moment. Everything is decided from the snapshot and `now`; `wall_now` only prints times.
struct View {
    const Snapshot& snapshot;
    const Identity& identity;
    Phase phase = Phase::starting;
    base::MonotonicTime now;
    base::WallTime wall_now;

    [[nodiscard]] base::WallTime wall_of(base::MonotonicTime time) const {
        return wall_now + std::chrono::duration_cast<base::WallTime::duration>(time - now);
    }

    [[nodiscard]] double seconds_since(base::MonotonicTime time) const {
        return std::chrono::duration<double>(now - time).count();
    }
};

inline double to_milliseconds(base::Duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace health
