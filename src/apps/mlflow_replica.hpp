// The copy of MLflow's registry: its rows, its index in memory, and what keeps it in step with MLflow.
#pragma once

#include <cstdint>
#include <memory>

#include "apps/probes.hpp"
#include "apps/settings.hpp"
#include "base/clock.hpp"
#include "base/task.hpp"
#include "mlflow/gateway.hpp"
#include "mlflow/upstream.hpp"
#include "mlflow/upstream_client.hpp"
#include "net/blocking_pool.hpp"
#include "net/worker.hpp"
#include "registry/alias_index.hpp"
#include "registry/indexed_store.hpp"
#include "replica/pace.hpp"
#include "replica/reconciler.hpp"
#include "replica/registry_client.hpp"
#include "replica/replica.hpp"
#include "replica/replicated_registry.hpp"
#include "storage/sqlite_registry_store.hpp"
#include "telemetry/metrics.hpp"

namespace apps {

// Shared by all workers, which outlive it, as does whatever else it is given.
class MlflowReplica {
public:
    struct Deps {
        const ServiceSettings& settings;
        const mlflow::Upstream& upstream;
        net::Worker& control;
        const base::Clock& clock;
        telemetry::Metrics& metrics;
    };

    // Opens the copy, or makes one; blocks. Throws base::ConfigError when it can't be read.
    explicit MlflowReplica(const Deps& deps);

    // On the control worker, until stop().
    base::Task<> keep_current() {
        return reconciler_.run();
    }

    void stop();

    // Another one than before: rows have changed.
    [[nodiscard]] std::int64_t revision() const {
        return replica_.revision();
    }

    // Whether nobody waits for the disk.
    [[nodiscard]] bool is_idle() const {
        return pool_.is_idle();
    }

    // Waits for what is being read or written; nothing may be asked afterwards.
    void join() {
        pool_.join();
    }

private:
    friend class ReplicatedCalls;

    std::unique_ptr<storage::SqliteRegistryStore> rows_;
    registry::AliasIndex aliases_;
    registry::IndexedStore store_;
    net::BlockingPool pool_;
    replica::Replica replica_;
    WorkerSleeper sleeper_;
    mlflow::UpstreamClient client_;
    replica::RegistryClient reader_;
    replica::Pace pace_;
    replica::Reconciler reconciler_;
};

// MLflow's paths on one worker, in front of its gateway.
class ReplicatedCalls {
public:
    ReplicatedCalls(MlflowReplica& copy,
                    net::Worker& worker,
                    const mlflow::Upstream& upstream,
                    mlflow::Gateway& gateway,
                    const ReplicaSettings& settings,
                    telemetry::Metrics& metrics);

    // Whether it was answered, from memory. The caller has been authorized.
    bool try_answer(http::Exchange& exchange);

    base::Task<> handle(http::Exchange& exchange) {
        return calls_.handle(exchange);
    }

private:
    mlflow::UpstreamClient client_;
    replica::RegistryClient reader_;
    replica::ReplicatedRegistry calls_;
};

// For work in the background: none while clients wait for MLflow, or while its breaker is not closed.
replica::Pace::Deps pace_deps(const mlflow::Upstream& upstream, const base::Clock& clock, health::Sleeper& sleeper);

// Whether there is to be a copy.
bool wants_replica(const ServiceSettings& settings);

}  // namespace apps
