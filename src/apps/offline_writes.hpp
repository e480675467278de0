// Writes of runs while MLflow is away: the journal, who fills it, and who delivers it.
#pragma once

#include <memory>

#include "apps/probes.hpp"
#include "apps/settings.hpp"
#include "base/clock.hpp"
#include "base/task.hpp"
#include "journal/journal.hpp"
#include "journal/known_lanes.hpp"
#include "mlflow/gateway.hpp"
#include "mlflow/pace.hpp"
#include "mlflow/upstream.hpp"
#include "mlflow/upstream_client.hpp"
#include "net/blocking_pool.hpp"
#include "net/worker.hpp"
#include "offline/known_params.hpp"
#include "offline/offline_runs.hpp"
#include "offline/replayer.hpp"
#include "storage/sqlite_journal_store.hpp"
#include "telemetry/metrics.hpp"

namespace apps {

// Shared by all workers, which outlive it, as does whatever else it is given.
class OfflineWrites {
public:
    struct Deps {
        const ServiceSettings& settings;
        const mlflow::Upstream& upstream;
        net::Worker& control;
        const base::Clock& clock;
        telemetry::Metrics& metrics;
    };

    // Opens the journal, or makes one; blocks. Throws base::ConfigError when it can't be read.
    explicit OfflineWrites(const Deps& deps);

    // On the control worker, until stop().
    void start();
    void stop();

    // The calls about runs of one worker.
    offline::OfflineRuns calls(net::Worker& worker, mlflow::Gateway& gateway);

    // Whether nobody waits for the disk.
    [[nodiscard]] bool is_idle() const {
        return pool_.is_idle();
    }

    // Waits for what is being read or written; nothing may be asked afterwards.
    void join() {
        pool_.join();
    }

private:
    base::Task<> keep_house();
    base::Task<> save_runs();

    net::Worker& control_;
    const mlflow::Upstream& upstream_;
    const bool accepts_;
    storage::SqliteJournalStore store_;
    net::BlockingPool pool_;
    journal::Journal journal_;
    journal::KnownLanes runs_;
    offline::KnownParams params_;
    WorkerSleeper sleeper_;
    mlflow::UpstreamClient client_;
    mlflow::Pace pace_;
    offline::Replayer replayer_;
};

// Whether there is anything to accept, or anything left to deliver.
bool wants_offline_writes(const ServiceSettings& settings);

}  // namespace apps
