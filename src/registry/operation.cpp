#include "registry/operation.hpp"

#include <algorithm>
#include <array>

namespace registry {

namespace {

struct Entry {
    std::string_view method;
    std::string_view path;  // below the API's prefix
    Operation operation;
};

constexpr std::array<Entry, 22> kEntries{{
    {"POST", "/registered-models/create", Operation::create_model},
    {"POST", "/registered-models/rename", Operation::rename_model},
    {"PATCH", "/registered-models/update", Operation::update_model},
    {"DELETE", "/registered-models/delete", Operation::delete_model},
    {"GET", "/registered-models/get", Operation::get_model},
    {"GET", "/registered-models/search", Operation::search_models},
    {"POST", "/registered-models/get-latest-versions", Operation::get_latest_versions},
    {"GET", "/registered-models/get-latest-versions", Operation::get_latest_versions},
    {"POST", "/registered-models/set-tag", Operation::set_model_tag},
    {"DELETE", "/registered-models/delete-tag", Operation::delete_model_tag},
    {"POST", "/registered-models/alias", Operation::set_alias},
    {"DELETE", "/registered-models/alias", Operation::delete_alias},
    {"GET", "/registered-models/alias", Operation::get_version_by_alias},
    {"POST", "/model-versions/create", Operation::create_version},
    {"PATCH", "/model-versions/update", Operation::update_version},
    {"POST", "/model-versions/transition-stage", Operation::transition_stage},
    {"DELETE", "/model-versions/delete", Operation::delete_version},
    {"GET", "/model-versions/get", Operation::get_version},
    {"GET", "/model-versions/search", Operation::search_versions},
    {"GET", "/model-versions/get-download-uri", Operation::get_download_uri},
    {"POST", "/model-versions/set-tag", Operation::set_version_tag},
    {"DELETE", "/model-versions/delete-tag", Operation::delete_version_tag},
}};

}  // namespace

std::optional<Operation> find_operation(std::string_view method, std::string_view path) {
    for (const std::string_view prefix : {"/api/2.0/mlflow", "/ajax-api/2.0/mlflow"}) {
        if (path.starts_with(prefix)) {
            path.remove_prefix(prefix.size());
            const auto* const entry = std::ranges::find_if(
                kEntries, [&](const Entry& candidate) { return candidate.path == path && candidate.method == method; });
            return entry == kEntries.end() ? std::nullopt : std::optional(entry->operation);
        }
    }
    return std::nullopt;
}

bool is_read(Operation operation) {
    switch (operation) {
        case Operation::get_model:
        case Operation::search_models:
        case Operation::get_latest_versions:
        case Operation::get_version_by_alias:
        case Operation::get_version:
        case Operation::search_versions:
        case Operation::get_download_uri:
            return true;
        default:
            return false;
    }
}

}  // namespace registry
