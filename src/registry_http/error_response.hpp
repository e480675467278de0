// Errors in the form MLflow's server gives them (mlflow/exceptions.py).
#pragma once

#include "base/error.hpp"
#include "http/message.hpp"

namespace registry_http {

// Status, error code and members of MLflow's for `error`; with Retry-After when it is unavailable.
http::Response to_response(const base::Error& error);

// What MLflow answers when a workspace is named and workspaces are off.
http::Response workspaces_are_off();

}  // namespace registry_http
