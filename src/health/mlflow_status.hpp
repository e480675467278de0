// MLflow as the health endpoints describe it: its breaker and its probe, in the form of GET /health/mlflow.
#pragma once

#include <string>
#include <string_view>

#include "health/view.hpp"
#include "http/message.hpp"

#include <boost/json/object.hpp>

namespace health {

// "CLOSED", "OPEN", "HALF_OPEN", or "DISABLED" without MLflow.
std::string_view mlflow_state(const View& view);

// The status object of the leading address with an item for each in `endpoints`; all keys are there without MLflow too.
boost::json::object mlflow_status_object(const View& view);

// The breaker's figures; times as seconds since the epoch.
boost::json::object breaker_object(const View& view);

// Why this address cannot be used now; empty when it can.
std::string endpoint_trouble(const View& view, const MlflowEndpoint& endpoint);

// Why MLflow as a whole cannot be used now; empty when it can, or is not configured.
std::string mlflow_trouble(const View& view);

// "Circuit breaker is open ..." while a breaker holds traffic back; else empty.
std::string_view degradation_reason(const View& view);

// GET /health/mlflow: 503 with the full object while OPEN, else 200.
http::Response mlflow_health(const View& view);

}  // namespace health
