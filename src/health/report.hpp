// The one picture of health that every endpoint formats: an immutable snapshot, and what follows from it at the moment
// it is read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "health/check_tracker.hpp"
#include "health/process_facts.hpp"
#include "resilience/circuit_breaker.hpp"

namespace health {

enum class Phase { starting, serving, draining };

enum class Status { disabled, unknown, healthy, degraded, recovering, unhealthy };

std::string_view to_string(Phase phase);
std::string_view to_string(Status status);

// The store is the one critical dependency.
struct StoreHealth {
    CheckFacts check;
    std::string engine;    // "sqlite" or "postgresql"
    std::string database;  // its name; no host, no credentials
};

// How the half-open trials made by probes ended.
struct TrialCounts {
    std::uint64_t succeeded = 0;
    std::uint64_t failed = 0;
    std::uint64_t undecided = 0;  // the peer was busy
};

// One address of MLflow.
struct MlflowEndpoint {
    std::string url;  // as shown: without credentials
    CheckFacts check;
    resilience::BreakerStatus breaker{};
    base::MonotonicTime breaker_read_at;
    TrialCounts trials;

    [[nodiscard]] bool is_open() const;
    [[nodiscard]] bool is_half_open() const;

    // Answers its probes, and traffic may pass.
    [[nodiscard]] bool is_connected(base::MonotonicTime now) const;
};

// A question asked of MLflow beside its liveness: "experiments_api", "metrics_history", "artifacts".
struct DetailHealth {
    std::string name;
    std::string url;  // as shown
    CheckFacts check;
};

struct Snapshot {
    std::uint64_t version = 0;  // grows with each publication
    base::MonotonicTime published_at;
    StoreHealth store;
    std::vector<MlflowEndpoint> mlflow;  // empty: not configured
    CheckFacts redis;
    CheckFacts message_queue;
    CheckFacts auth;
    CheckFacts discovery;
    std::vector<DetailHealth> details;
    ProcessFacts process;
};

// A dependency under the name clients know.
struct NamedCheck {
    std::string_view name;
    Status status;
    const CheckFacts* check;  // in the snapshot; nullptr when disabled
};

// What one check is worth at `now`: unhealthy while failing (degraded when the probe says so), degraded when overdue.
Status status_of(const CheckFacts& check, base::MonotonicTime now);

// Why it is not healthy, for people; empty when nothing is wrong or it is disabled.
std::string trouble_of(const CheckFacts& check, base::MonotonicTime now);

// Unhealthy also when it is overdue or was never checked: requests depend on it.
Status store_status(const StoreHealth& store, base::MonotonicTime now);

// By its breaker first (OPEN: degraded, HALF_OPEN: recovering), then by its check.
Status status_of(const MlflowEndpoint& endpoint, base::MonotonicTime now);

// Of all addresses together: what all agree on; else recovering when one is, else degraded.
Status mlflow_status(const Snapshot& snapshot, base::MonotonicTime now);

// The address whose state stands for all: CLOSED if any is, then HALF_OPEN, then the OPEN one that is tried again
// first. Nothing when MLflow is not configured.
const MlflowEndpoint* leading_endpoint(const Snapshot& snapshot);

// Every dependency, the store first, in the order they are shown. MLflow's check is that of its leading address.
std::vector<NamedCheck> all_checks(const Snapshot& snapshot, base::MonotonicTime now);

// healthy, degraded, recovering or unhealthy; unhealthy outranks recovering outranks degraded. Disabled dependencies
// lower nothing; one not checked yet does not pass.
Status aggregate(const Snapshot& snapshot, base::MonotonicTime now);

// Where readers find the latest snapshot. Safe from any thread; never waits for a dependency.
class SnapshotSource {
public:
    virtual ~SnapshotSource() = default;

    // Of the last snapshot: one atomic load, to see whether anything was published since.
    [[nodiscard]] virtual std::uint64_t version() const = 0;

    // The last snapshot, breaker figures no older than 100 ms.
    [[nodiscard]] virtual std::shared_ptr<const Snapshot> current(base::MonotonicTime now) = 0;
};

}  // namespace health
