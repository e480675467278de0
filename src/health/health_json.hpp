// The same facts as `application/health+json` (draft-inadarei-api-health-check-06): pass and warn are 2xx, fail is 503.
#pragma once

#include <string_view>

#include "health/view.hpp"
#include "http/message.hpp"

namespace health {

inline constexpr std::string_view kHealthJson = "application/health+json";

// For answers about the service: every configured check with observed value, time and, unless it passes, the endpoints
// it takes with it. Degraded and recovering are `warn`.
http::Response health_json(const View& view);

// The same for readiness: also `fail` while starting or draining.
http::Response readiness_json(const View& view);

// For liveness, which no dependency may lower.
http::Response liveness_json(const View& view);

// `fail` while starting.
http::Response startup_json(const View& view);

// MLflow alone: `fail` while its breaker is OPEN.
http::Response mlflow_health_json(const View& view);

}  // namespace health
