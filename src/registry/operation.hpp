// The calls of MLflow's registry API: 22 method and path pairs.
#pragma once

#include <optional>
#include <string_view>

namespace registry {

enum class Operation {
    create_model,
    rename_model,
    update_model,
    delete_model,
    get_model,
    search_models,
    get_latest_versions,  // by POST and by GET
    set_model_tag,
    delete_model_tag,
    set_alias,
    delete_alias,
    get_version_by_alias,
    create_version,
    update_version,
    transition_stage,
    delete_version,
    get_version,
    search_versions,
    get_download_uri,
    set_version_tag,
    delete_version_tag,
};

// `path` without query, as MLflow's server gets it: below /api/2.0/mlflow or /ajax-api/2.0/mlflow. Nothing: no registry
// call.
std::optional<Operation> find_operation(std::string_view method, std::string_view path);

bool is_read(Operation operation);

}  // namespace registry
