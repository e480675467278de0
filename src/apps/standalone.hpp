// MLflow's paths where no MLflow is configured: the model registry is our own, and there is nothing else.
#pragma once

#include "apps/local_registry.hpp"
#include "base/task.hpp"
#include "http/exchange.hpp"
#include "mlflow/call_observer.hpp"
#include "registry/version_loads.hpp"
#include "telemetry/metrics.hpp"

namespace apps {

// One per worker. The registry and the worker's notes outlive it. Callers have been authorized.
class Standalone {
public:
    Standalone(LocalRegistry& registry, registry::LoadNotes& loads, telemetry::Metrics& metrics);

    // Whether it was answered: alias look-ups from memory, and what needs no registry.
    bool try_answer(http::Exchange& exchange);

    // Answers whatever comes; `observer` is told what the registry answered, and may be null.
    base::Task<> handle(http::Exchange& exchange, mlflow::CallObserver* observer = nullptr);

private:
    void answer(http::Exchange& exchange, const http::Response& response);

    LocalRegistry& registry_;
    registry::LoadNotes& loads_;
    telemetry::Counter& from_memory_;
    telemetry::Counter& answered_;
    telemetry::Counter& refused_;
    telemetry::Counter& failed_;
};

}  // namespace apps
