// The bodies that load balancers, dashboards and scripts of the registry already read, with our additions beside them:
// `phase`, `store_engine`, and `checks` with the age of each result.
#pragma once

#include "health/view.hpp"
#include "http/message.hpp"

namespace health {

// What the service as a whole can do at this moment.
struct Readiness {
    Status status;       // healthy, degraded, recovering or unhealthy
    bool is_ready;       // everything works
    bool can_serve;      // the core works
    bool is_degraded;    // can serve, not ready
    bool is_recovering;  // can serve, a breaker is half-open
};

Readiness judge_readiness(const View& view);

// GET /health. `is_detailed` adds system figures, and nested objects inside `services`. Always 200.
http::Response service_health(const View& view, bool is_detailed);

// GET /health/status. Always 200.
http::Response service_status(const View& view);

// GET /health/alb. Always 200.
http::Response balancer_health(const View& view);

// GET /ready. 503 when the service can't serve.
http::Response readiness(const View& view);

// GET /live. Always 200.
http::Response liveness(const View& view);

// GET /livez, /readyz and /startupz: the status code is the answer.
http::Response strict_liveness(const View& view);
http::Response strict_readiness(const View& view);
http::Response strict_startup(const View& view);

// GET /version.
http::Response version(const View& view);

}  // namespace health
