// What MLflow's server says of itself, where the registry is all there is.
#pragma once

#include "http/message.hpp"

namespace registry_http {

// GET /api/3.0/mlflow/server-info: MLflow's client and UI ask it before they use what only some servers have.
// store_type is about experiments and runs, of which there are none.
http::Response server_info();

// GET /version below MLflow's mounts: the release of MLflow whose registry this is. Clients take it for MLflow's own.
http::Response mlflow_version();

}  // namespace registry_http
