// Keeps the replica in step with what is written to MLflow elsewhere.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"
#include "net/worker.hpp"
#include "replica/replica.hpp"
#include "replica/sweep.hpp"
#include "replica/upstream_reader.hpp"
#include "telemetry/metrics.hpp"

namespace replica {

struct ReconcilerSettings {
    base::Duration interval = std::chrono::seconds(60);  // from one sweep's begin to the next one's
    std::function<base::Task<>()> when_filled{};         // optional; after the first filling
};

// Lives on one worker. First the models that are marked, then a sweep when one is due, then where artifacts are.
class Reconciler {
public:
    Reconciler(SweepDeps deps, ReconcilerSettings settings, telemetry::Metrics& metrics);

    // Until stopped and woken.
    base::Task<> run();

    void stop() {
        deps_.pace.stop();
    }

    // One thing that is due, or a rest until something may be. What run() repeats.
    base::Task<> do_next();

private:
    base::Task<> reread_marked();
    base::Task<base::Result<void>> reread_model(registry::ModelKey key);
    base::Task<> sweep();
    base::Task<> read_download_uris();
    void queue(std::vector<Sweep::WithoutUri> versions);
    void put_off(const base::Error& error);
    void note_finished(const Sweep& sweep);
    void note_progress();

    SweepDeps deps_;
    const ReconcilerSettings settings_;
    telemetry::Counter& sweeps_;
    telemetry::Counter& failures_;
    telemetry::Counter& changes_;
    std::optional<Sweep> sweep_;
    base::MonotonicTime next_sweep_;
    base::MonotonicTime rests_until_;
    base::MonotonicTime next_progress_;
    unsigned failures_in_a_row_ = 0;
    bool was_away_ = false;
    std::deque<Sweep::WithoutUri> without_uri_;                     // aliased ones first
    std::set<std::pair<registry::ModelKey, std::int64_t>> queued_;  // the same
};

}  // namespace replica
