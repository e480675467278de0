// The copy of MLflow's registry: its rows, its index in memory, and what keeps it in step with MLflow.
#pragma once

#include <cstdint>
#include <memory>

#include "apps/part.hpp"
#include "apps/probes.hpp"
#include "apps/registry_past.hpp"
#include "apps/settings.hpp"
#include "base/clock.hpp"
#include "base/task.hpp"
#include "mlflow/gateway.hpp"
#include "mlflow/pace.hpp"
#include "mlflow/upstream.hpp"
#include "mlflow/upstream_client.hpp"
#include "net/blocking_pool.hpp"
#include "net/worker.hpp"
#include "registry/alias_index.hpp"
#include "registry/indexed_store.hpp"
#include "registry/recorded_store.hpp"
#include "replica/reconciler.hpp"
#include "replica/registry_client.hpp"
#include "replica/replica.hpp"
#include "replica/replicated_registry.hpp"
#include "storage/sqlite_registry_store.hpp"
#include "telemetry/metrics.hpp"

namespace apps {

// Shared by all workers, which outlive it, as does whatever else it is given.
class MlflowReplica final : public Part {
public:
    struct Deps {
        const ServiceSettings& settings;
        const mlflow::Upstream& upstream;
        net::Worker& control;
        const base::Clock& clock;
        telemetry::Metrics& metrics;
        RegistryPast& past;
    };

    // Opens the copy, or makes one; blocks. Throws base::ConfigError when it can't be read.
    explicit MlflowReplica(const Deps& deps);

    void start(net::Worker& control) override;
    void stop() override;

    // Another one than before: rows have changed.
    [[nodiscard]] std::int64_t revision() const {
        return replica_.revision();
    }

    replica::Replica& replica() {
        return replica_;
    }

    net::BlockingPool& pool() {
        return pool_;
    }

    [[nodiscard]] bool is_idle() const override {
        return pool_.is_idle();
    }

    void join() override {
        pool_.join();
    }

private:
    friend class ReplicatedCalls;

    base::Task<> compare_history(net::Worker& worker);

    std::unique_ptr<storage::SqliteRegistryStore> rows_;
    registry::RecordedStore recorded_;
    registry::AliasIndex aliases_;
    registry::IndexedStore store_;
    net::BlockingPool pool_;
    replica::Replica replica_;
    WorkerSleeper sleeper_;
    mlflow::UpstreamClient client_;
    replica::RegistryClient reader_;
    mlflow::Pace pace_;
    replica::Reconciler reconciler_;
};

// MLflow's paths on one worker, in front of its gateway.
class ReplicatedCalls {
public:
    // `stand_in` takes writes while MLflow is away, and may be null.
    ReplicatedCalls(MlflowReplica& copy,
                    net::Worker& worker,
                    const mlflow::Upstream& upstream,
                    mlflow::Gateway& gateway,
                    const ReplicaSettings& settings,
                    telemetry::Metrics& metrics,
                    registry::LoadNotes& loads,
                    replica::StandIn* stand_in);

    // Whether it was answered, from memory. The caller has been authorized.
    bool try_answer(http::Exchange& exchange);

    // `observer` of writes; may be null.
    base::Task<> handle(http::Exchange& exchange, mlflow::CallObserver* observer) {
        return calls_.handle(exchange, observer);
    }

private:
    mlflow::UpstreamClient client_;
    replica::RegistryClient reader_;
    replica::ReplicatedRegistry calls_;
};

// Whether there is to be a copy.
bool wants_replica(const ServiceSettings& settings);

}  // namespace apps
