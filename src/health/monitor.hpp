// Probes every dependency in the background and publishes what it finds. Requests read the publication; none of them
// waits for a probe, and no probe waits for a request.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/task.hpp"
#include "health/check_tracker.hpp"
#include "health/process_facts.hpp"
#include "health/report.hpp"
#include "resilience/circuit_breaker.hpp"
#include "telemetry/metrics.hpp"

namespace health {

// Asks one dependency one question, on a connection apart from traffic. It ends within its own deadline; what it throws
// becomes a failed result of kind "internal".
class Probe {
public:
    virtual ~Probe() = default;
    [[nodiscard]] virtual base::Task<ProbeResult> run() = 0;
};

// Returns at `time`, earlier only to let a stopped monitor end.
class Sleeper {
public:
    virtual ~Sleeper() = default;
    [[nodiscard]] virtual base::Task<> wait_until(base::MonotonicTime time) = 0;
};

struct MonitorSettings {
    CheckSettings check;
    base::Duration detail_interval = std::chrono::seconds(30);
};

// What is watched; everything outlives the monitor. A null pointer or an empty list is a dependency that is not
// configured.
struct Targets {
    struct Store {
        Probe& probe;
        std::string engine;    // "sqlite" or "postgresql"
        std::string database;  // shown to anyone who asks
    };

    // Its breaker is told each probe of this address once, and takes them as its half-open trials.
    struct Mlflow {
        std::string url;  // shown to anyone who asks: without credentials
        Probe& probe;
        resilience::CircuitBreaker& breaker;
    };

    struct Detail {
        std::string name;  // "experiments_api", "metrics_history" or "artifacts"
        std::string url;
        Probe& probe;
    };

    Store store;
    std::vector<Mlflow> mlflow{};
    Probe* redis = nullptr;
    Probe* message_queue = nullptr;
    Probe* auth = nullptr;
    Probe* discovery = nullptr;
    std::vector<Detail> details{};
};

// Outlives the monitor. `random` is used by the loops only.
struct MonitorDeps {
    base::Clock& clock;
    Sleeper& sleeper;
    base::Random& random;
    telemetry::Metrics& metrics;
};

// The outcome a probe's result has for a breaker: busy says nothing, a wish for time is no failure.
resilience::Outcome outcome_of(const ProbeResult& result);

class Monitor final : public SnapshotSource {
public:
    Monitor(const Targets& targets, const MonitorSettings& settings, const MonitorDeps& deps);

    Monitor(const Monitor&) = delete;
    Monitor& operator=(const Monitor&) = delete;

    // One loop for each dependency and one for the details. Run all of them on one thread; the first probes start at
    // once. They return when stopped and woken.
    [[nodiscard]] std::vector<base::Task<>> loops();

    // Safe from any thread.
    void stop();

    [[nodiscard]] std::uint64_t version() const override;
    [[nodiscard]] std::shared_ptr<const Snapshot> current(base::MonotonicTime now) override;

    // Reads the breakers again and publishes what changed. Call it when one has changed its state (its listener) or was
    // reset, so that the next answer shows it. Safe from any thread.
    void refresh(base::MonotonicTime now);

    // How long the service as a whole has been in `status`, `now` included. Safe from any thread.
    [[nodiscard]] base::Duration time_in(Status status, base::MonotonicTime now) const;

private:
    struct Watch {
        std::string name;
        Probe& probe;
        CheckTracker tracker;
        base::Duration deadline;
        CheckFacts& published;  // in draft_, guarded by mutex_
        telemetry::Histogram& seconds;
        resilience::CircuitBreaker* breaker = nullptr;  // of MLflow, as what follows
        MlflowEndpoint* endpoint = nullptr;             // in draft_, guarded by mutex_
        TrialCounts trials{};
    };

    void add_watch(std::string_view name, Probe* probe, CheckFacts& published);
    void add_mlflow(const Targets::Mlflow& target, MlflowEndpoint& endpoint);
    void add_detail(const Targets::Detail& target, DetailHealth& detail);
    [[nodiscard]] Watch make_watch(std::string_view name,
                                   Probe& probe,
                                   const CheckSettings& check,
                                   CheckFacts& published);

    [[nodiscard]] base::Task<> watch(Watch& watched);
    [[nodiscard]] base::Task<> watch_details();
    [[nodiscard]] base::Task<> probe_once(Watch& watched);
    [[nodiscard]] base::Duration delay_after(const Watch& watched);
    void report_to_breaker(Watch& watched, std::optional<resilience::Permit> permit, const ProbeResult& result);
    void record(Watch& watched, const ProbeResult& result);
    void publish(base::MonotonicTime now);
    void account_status(base::MonotonicTime now);

    MonitorSettings settings_;
    MonitorDeps deps_;
    std::list<Watch> watches_;  // a list: loops refer to their items
    std::list<Watch> detail_watches_;
    std::vector<resilience::CircuitBreaker*> breakers_;  // of draft_.mlflow, in its order
    ProcessReader process_reader_;                       // of the loops
    std::atomic<bool> is_stopping_{false};
    std::atomic<std::uint64_t> version_{0};

    mutable std::mutex mutex_;  // guards everything below; held for copies only, never across a wait
    Snapshot draft_;
    std::shared_ptr<const Snapshot> published_;
    base::MonotonicTime breakers_read_at_;
    Status status_ = Status::unknown;
    base::MonotonicTime status_counted_until_;
    std::array<base::Duration, 6> time_in_{};  // by Status
};

}  // namespace health
