// The body of POST /models/register, and what becomes of its metadata in MLflow.
#pragma once

#include <map>
#include <string>

#include "models/outcome.hpp"
#include "models/registration.hpp"
#include "models/request.hpp"

#include <boost/json/object.hpp>

namespace models {

// Without id and time. What MLflow could not hold is refused here, before anything is promised.
Outcome<Registration> read_registration(const Request& request);

// The parameters of its run: model_type, is_baseline, registration_time, metadata_KEY for each, and what of the
// metadata says where the model comes from. At most 100, of lengths MLflow takes.
std::map<std::string, std::string> run_params(const Registration& registration);

// Where the caller says the model is: model_data.source. Empty: nowhere but in model_data itself.
std::string given_source(const Registration& registration);

// What clients are told of it. `has_mlflow`: there is a server apart from us.
boost::json::object to_json(const Registration& registration, bool has_mlflow);

}  // namespace models
