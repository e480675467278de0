// What MLflow's server and store check of the arguments of a write to a run, in their order and their words.
#pragma once

#include "base/error.hpp"

#include <boost/json/object.hpp>

namespace offline {

// As check_run_call().
base::Result<void> check_log_metric(const boost::json::object& arguments);
base::Result<void> check_log_batch(const boost::json::object& arguments);
base::Result<void> check_log_parameter(const boost::json::object& arguments);
base::Result<void> check_set_tag(const boost::json::object& arguments);
base::Result<void> check_update(const boost::json::object& arguments);

}  // namespace offline
