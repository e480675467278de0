// MLflow's paths on one worker: who looks at a call before it reaches MLflow, or answers in its place.
//
//   ProtectedCalls ─┬─► OfflineRuns ─────► Gateway     calls about runs
//                   ├─► CachedArtifacts ─► Gateway     artifacts
//                   ├─► ReplicatedCalls ─► Gateway     the registry, and all else
//                   │        └─► OfflineModels         its writes, while MLflow is away
//                   └─► Standalone                     without MLflow: everything
#pragma once

#include <optional>

#include "apps/local_registry.hpp"
#include "apps/mlflow_artifacts.hpp"
#include "apps/mlflow_replica.hpp"
#include "apps/offline_registry.hpp"
#include "apps/offline_writes.hpp"
#include "apps/registry_past.hpp"
#include "apps/resend_protection.hpp"
#include "apps/settings.hpp"
#include "apps/standalone.hpp"
#include "artifacts/cached_artifacts.hpp"
#include "auth/key_hash.hpp"
#include "base/task.hpp"
#include "http/exchange.hpp"
#include "mlflow/call_observer.hpp"
#include "mlflow/gateway.hpp"
#include "mlflow/upstream.hpp"
#include "net/worker.hpp"
#include "offline/offline_runs.hpp"
#include "offline_registry/offline_models.hpp"
#include "telemetry/metrics.hpp"

namespace apps {

// What it is given outlives it. Callers have been authorized.
class MlflowCalls {
public:
    // What may be null is switched off, or not configured.
    struct Deps {
        const ServiceSettings& settings;
        net::Worker& worker;
        const auth::Pepper& pepper;
        const mlflow::TrustedProxies& trusted_proxies;
        telemetry::Metrics& metrics;
        mlflow::Upstream* upstream;
        RegistryPast* past;      // there with `local` and with `replica`
        LocalRegistry* local;    // there without `upstream`
        MlflowReplica* replica;  // this and below only with `upstream`
        OfflineWrites* offline;
        OfflineRegistry* offline_registry;  // only with `replica` and `offline`
        MlflowArtifacts* artifacts;         // only with `replica`
        ResendProtection& resends;
    };

    explicit MlflowCalls(const Deps& deps);

    // Whether it was answered at once, from memory.
    bool try_answer(http::Exchange& exchange);

    base::Task<> handle(http::Exchange& exchange) {
        return protected_.handle(exchange);
    }

private:
    base::Task<> handle_unprotected(http::Exchange& exchange, mlflow::CallObserver* observer);
    base::Task<> handle_registry(http::Exchange& exchange, mlflow::CallObserver* observer);

    std::optional<mlflow::Gateway> gateway_;
    std::optional<offline_registry::OfflineModels> models_;
    std::optional<ReplicatedCalls> replicated_;
    std::optional<artifacts::CachedArtifacts> artifacts_;
    std::optional<offline::OfflineRuns> runs_;
    std::optional<Standalone> standalone_;
    ProtectedCalls protected_;
};

}  // namespace apps
