// Versions of models, as MLflow's registry tells them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/task.hpp"
#include "models/mlflow_api.hpp"
#include "models/outcome.hpp"
#include "models/request.hpp"

#include <boost/json/object.hpp>

namespace models {

struct Version {
    VersionName name;
    std::string status;
    std::string stage;
    std::string description;
    std::string run_id;  // empty: none
    std::string source;
    std::int64_t created_at = 0;       // milliseconds since the epoch
    boost::json::object tags;          // {name: value}
    std::vector<std::string> aliases;  // not told by lists
};

struct VersionPage {
    std::vector<Version> versions;
    std::string next_page_token;  // empty: that was the last one
};

// All versions there are, or as many of them as are looked through.
struct AllVersions {
    std::vector<Version> versions;
    bool is_complete = true;
};

// What page a search is asked for.
struct PageOf {
    std::optional<std::string> model;  // nothing: all
    std::size_t max_results = 1000;
    std::string token{};
};

// 404 when there is none.
base::Task<Outcome<Version>> find_version(MlflowApi& mlflow, Outcome<VersionName> name);

base::Task<Outcome<VersionPage>> list_versions(MlflowApi& mlflow, PageOf page);

// In the order of names and numbers. 10,000 are looked through.
base::Task<Outcome<AllVersions>> list_all_versions(MlflowApi& mlflow, std::optional<std::string> model);

struct AliasOfModel {
    std::string alias;
    VersionName version;
};

// Of all models; 10,000 are looked through.
base::Task<Outcome<std::vector<AliasOfModel>>> list_aliases(MlflowApi& mlflow);

}  // namespace models
