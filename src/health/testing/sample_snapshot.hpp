// Snapshots for tests: everything up, and what to break in them.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "health/report.hpp"
#include "health/view.hpp"

namespace health::testing {

inline ProbeResult passed_result() {
    return {.passed = true, .latency = std::chrono::milliseconds(3), .status_code = 200};
}

inline ProbeResult failed_result(std::string error, std::string kind = "refused") {
    return {.error = std::move(error), .kind = std::move(kind)};
}

inline CheckFacts check_with(const ProbeResult& result, base::MonotonicTime now) {
    CheckTracker tracker(CheckSettings{}, now);
    tracker.record(result, now);
    return tracker.facts();
}

inline CheckFacts passing_check(base::MonotonicTime now) {
    return check_with(passed_result(), now);
}

inline CheckFacts failing_check(base::MonotonicTime now, std::string error = "connection refused") {
    return check_with(failed_result(std::move(error)), now);
}

inline MlflowEndpoint mlflow_endpoint(base::MonotonicTime now, std::string url = "http://mlflow.test:5000") {
    MlflowEndpoint endpoint;
    endpoint.url = std::move(url);
    endpoint.check = passing_check(now);
    endpoint.breaker.is_enabled = true;
    endpoint.breaker.failure_threshold = 3;
    endpoint.breaker.recovery_timeout = std::chrono::seconds(30);
    endpoint.breaker.max_recovery_attempts = 3;
    endpoint.breaker.last_success_at = now;
    endpoint.breaker.changed_at = now;
    endpoint.breaker_read_at = now;
    return endpoint;
}

inline void open_breaker(MlflowEndpoint& endpoint, base::MonotonicTime now) {
    endpoint.check = failing_check(now);
    endpoint.breaker.state = resilience::BreakerState::open;
    endpoint.breaker.failure_count = 3;
    endpoint.breaker.last_failure_at = now;
    endpoint.breaker.time_until_retry = std::chrono::seconds(30);
}

inline void half_open_breaker(MlflowEndpoint& endpoint) {
    endpoint.breaker.state = resilience::BreakerState::half_open;
    endpoint.breaker.recovery_attempts = 1;
}

// Every dependency configured and well.
inline Snapshot healthy_snapshot(base::MonotonicTime now) {
    Snapshot snapshot;
    snapshot.version = 1;
    snapshot.published_at = now;
    snapshot.store = {.check = passing_check(now), .engine = "sqlite", .database = "hokusai.db"};
    snapshot.mlflow.push_back(mlflow_endpoint(now));
    snapshot.redis = passing_check(now);
    snapshot.message_queue = passing_check(now);
    snapshot.auth = passing_check(now);
    snapshot.discovery = passing_check(now);
    for (const char* name : {"experiments_api", "metrics_history", "artifacts"}) {
        snapshot.details.push_back(
            {.name = name, .url = std::string("http://mlflow.test:5000/") + name, .check = passing_check(now)});
    }
    snapshot.process = {.resident_bytes = 16.0 * 1024 * 1024, .cpu_percent = 12.0, .memory_percent = 41.5};
    return snapshot;
}

inline Identity sample_identity(base::MonotonicTime now) {
    return {.version = "0.1.0",
            .git_commit = "abc1234",
            .build_date = "2025-08-01",
            .environment = "test",
            .started_at = now - std::chrono::seconds(90)};
}

// Publishes whatever a test puts in.
class FixedSource final : public SnapshotSource {
public:
    explicit FixedSource(Snapshot snapshot) : snapshot_(std::make_shared<const Snapshot>(std::move(snapshot))) {}

    void publish(Snapshot snapshot) {
        snapshot.version = snapshot_->version + 1;
        snapshot_ = std::make_shared<const Snapshot>(std::move(snapshot));
    }

    [[nodiscard]] std::uint64_t version() const override {
        return snapshot_->version;
    }

    [[nodiscard]] std::shared_ptr<const Snapshot> current(base::MonotonicTime) override {
        ++reads;
        return snapshot_;
    }

    int reads = 0;

private:
    std::shared_ptr<const Snapshot> snapshot_;
};

}  // namespace health::testing
