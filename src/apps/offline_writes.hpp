// Writes while MLflow is away: the journal, and for runs, who fills it and who delivers it.
#pragma once

#include <memory>

#include "apps/part.hpp"
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
class OfflineWrites final : public Part {
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

    void start(net::Worker& control) override;
    void stop() override;

    // For the lanes of models.
    journal::Journal& journal() {
        return journal_;
    }

    journal::JournalStore& store() {
        return store_;
    }

    // The calls about runs of one worker.
    offline::OfflineRuns calls(net::Worker& worker, mlflow::Gateway& gateway);

    [[nodiscard]] bool is_idle() const override {
        return pool_.is_idle();
    }

    void join() override {
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
