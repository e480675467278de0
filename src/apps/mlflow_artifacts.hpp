// The cache of MLflow's artifacts: its files, its index, and what fills it in the background.
#pragma once

#include <functional>
#include <memory>

#include "apps/mlflow_replica.hpp"
#include "apps/part.hpp"
#include "apps/probes.hpp"
#include "apps/settings.hpp"
#include "artifacts/artifact_cache.hpp"
#include "artifacts/cached_artifacts.hpp"
#include "artifacts/keeper.hpp"
#include "base/clock.hpp"
#include "base/task.hpp"
#include "mlflow/gateway.hpp"
#include "mlflow/pace.hpp"
#include "mlflow/upstream.hpp"
#include "mlflow/upstream_client.hpp"
#include "net/blocking_pool.hpp"
#include "net/worker.hpp"
#include "storage/artifact_index.hpp"
#include "storage/artifact_owners.hpp"
#include "storage/content_store.hpp"
#include "telemetry/metrics.hpp"

namespace apps {

// Shared by all workers, which outlive it, as does whatever else it is given.
class MlflowArtifacts final : public Part {
public:
    struct Deps {
        const ServiceSettings& settings;
        const mlflow::Upstream& upstream;
        const MlflowReplica& replica;
        net::Worker& control;
        const base::Clock& clock;
        telemetry::Metrics& metrics;
    };

    // Opens the cache, or makes one; blocks. Throws base::ConfigError when it can't be used.
    explicit MlflowArtifacts(const Deps& deps);
    ~MlflowArtifacts() override;

    void start(net::Worker& control) override;
    void stop() override;

    [[nodiscard]] bool is_idle() const override {
        return pool_.is_idle() && cache_.is_idle();
    }

    void join() override {
        pool_.join();
    }

    using PassOn = std::function<base::Task<>(http::Exchange&, mlflow::CallObserver*)>;

    // MLflow's paths on one worker: artifacts go through its gateway, all other calls to `pass_on`.
    artifacts::CachedArtifacts calls_of(net::Worker& worker, mlflow::Gateway& gateway, PassOn pass_on);

private:
    class Source;

    storage::ContentStore files_;
    storage::ArtifactIndex index_;
    storage::ArtifactOwners owners_;
    net::BlockingPool pool_;
    artifacts::ArtifactCache cache_;
    WorkerSleeper sleeper_;
    mlflow::UpstreamClient client_;
    std::unique_ptr<Source> source_;
    mlflow::Pace pace_;
    artifacts::Keeper keeper_;
};

// Whether there is to be a cache: it has a size, artifacts pass here, and there is a replica to tell whose they are.
bool wants_artifacts(const ServiceSettings& settings);

}  // namespace apps
