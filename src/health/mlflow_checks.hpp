// The /api/health/mlflow group: MLflow's own checks, told without regard to the breaker.
#pragma once

#include "health/view.hpp"
#include "http/message.hpp"

namespace health {

// GET /api/health/mlflow: 503 with the object under `detail` unless every check is well.
http::Response mlflow_checks(const View& view);

// GET /mlflow/health/mlflow: the same checks with artifacts really probed; never 503.
http::Response mlflow_checks_of_gateway(const View& view);

// GET …/detailed; `with_artifacts` adds their probe as a fourth test. Always 200.
http::Response mlflow_tests(const View& view, bool with_artifacts);

// GET /api/health/mlflow/connectivity. Always 200.
http::Response mlflow_connectivity(const View& view);

}  // namespace health
