// Entities to and from MLflow's JSON.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "registry/entities.hpp"

#include <boost/json/object.hpp>

namespace registry {

// Unset fields and empty lists are left out; versions are strings, times are numbers. An artifact_uri is in no JSON.
boost::json::object to_json(const RegisteredModel& model);
boost::json::object to_json(const ModelVersion& version);

// Members without a name here go to `unknown`. invalid_argument when it is no such entity.
base::Result<RegisteredModel> model_from_json(const boost::json::object& object);
base::Result<ModelVersion> version_from_json(const boost::json::object& object);

// A member that is a string; otherwise empty.
std::string text_at(const boost::json::object& object, std::string_view name);

// The bytes MLflow's server would send: two-space indented, all beyond ASCII escaped.
std::string serialize(const boost::json::object& object);

}  // namespace registry
