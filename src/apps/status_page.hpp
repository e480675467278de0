// What `/` answers.
#pragma once

#include "http/message.hpp"

namespace apps {

// A page for a browser, which sends the links that MLflow's client prints (`/#/experiments/…`) on to MLflow's user
// interface; the service's description as JSON for anything else.
http::Response root_response(const http::RequestHead& request);

}  // namespace apps
