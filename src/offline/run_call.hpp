// MLflow's calls about runs, as far as they matter while MLflow is away: what they are, whose they are, and whether
// MLflow would take them (mlflow/server/handlers.py, mlflow/utils/validation.py). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

#include <boost/json/object.hpp>

namespace offline {

enum class RunOperation {
    create,
    get,
    update,
    log_metric,
    log_batch,
    log_parameter,
    set_tag,
    remove,
    restore,
    delete_tag,
};

// `path` without query, as MLflow's server gets it.
std::optional<RunOperation> find_run_operation(std::string_view method, std::string_view path);

// Whether it may be accepted in MLflow's place: repeated, it does no harm, and its answer tells nothing new.
bool is_deferrable(RunOperation operation);

// Nothing: no JSON object.
std::optional<boost::json::object> parse_object(std::string_view body);

// Empty: none that a lane could be named by.
std::string run_id_of(RunOperation operation, const boost::json::object& arguments);

// The same for the query of RunOperation::get.
std::string run_id_of(std::string_view query);

// invalid_argument with MLflow's words when MLflow would refuse a deferrable call whatever the run; unsupported when
// only MLflow can say.
base::Result<void> check_run_call(RunOperation operation, const boost::json::object& arguments);

// How the names of runs' lanes begin.
inline constexpr std::string_view kRunLanes = "run/";

// The lane of a run. `workspace` in the form registry::normal_workspace() gives.
std::string lane_of(std::string_view workspace, std::string_view run_id);
std::string_view run_of_lane(std::string_view lane);

}  // namespace offline
