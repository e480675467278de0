// The one table of what answers where.
#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "apps/registry_past.hpp"
#include "auth/key_store.hpp"
#include "health/endpoints.hpp"
#include "health/health_responder.hpp"
#include "health/monitor.hpp"
#include "http/router.hpp"
#include "net/blocking_pool.hpp"
#include "resilience/circuit_breaker.hpp"
#include "telemetry/metrics.hpp"

namespace apps {

struct RouteDeps {
    health::HealthResponder& health;  // of this worker
    health::Monitor& monitor;
    const std::atomic<health::Phase>& phase;
    telemetry::Metrics& metrics;
    http::Route::TryAnswer try_mlflow;    // of this worker, for MLflow's paths; may be empty
    http::Route::Handle handle_mlflow;    // the same, for what has to wait
    http::Route::Handle handle_models;    // of this worker, for our own API of models
    resilience::CircuitBreaker* breaker;  // of MLflow; null: MLflow is not configured
    auth::AuditLog& audit_log;
    net::BlockingPool& pool;
    RegistryPast* past;  // null: nothing is known of the registry here
};

// For the router of one worker. What it refers to outlives the routes.
std::vector<http::Route> make_routes(const RouteDeps& deps);

}  // namespace apps
