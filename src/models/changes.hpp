// Changes of one version: what may be asked for, and how MLflow is told.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/task.hpp"
#include "models/members.hpp"
#include "models/mlflow_api.hpp"
#include "models/outcome.hpp"
#include "models/request.hpp"

namespace models {

struct Update {
    std::optional<std::string> description;
    std::map<std::string, std::string> tags;  // set; others stay
};

struct Transition {
    std::string stage = "Production";
    bool archives_existing = true;
};

Update read_update(Members members);
Transition read_transition(Members members);

// Each gives the sentence that tells what was done. 404 for a version that is not there.
base::Task<Outcome<std::string>> carry_out(MlflowApi& mlflow, VersionName name, Update update);
base::Task<Outcome<std::string>> carry_out(MlflowApi& mlflow, VersionName name, Transition transition);
base::Task<Outcome<std::string>> carry_out_delete(MlflowApi& mlflow, VersionName name);

}  // namespace models
