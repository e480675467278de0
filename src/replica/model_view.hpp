// What one or several answers of MLflow show of a model.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "registry/entities.hpp"
#include "replica/confirmations.hpp"

namespace replica {

struct ModelView {
    registry::ModelKey key;
    Asked asked;
    std::optional<registry::RegisteredModel> model;  // with its latest versions, as MLflow shows it
    bool is_gone = false;                            // there is no such model
    std::vector<registry::ModelVersion> versions;    // an artifact_uri is there where it was asked for
    bool knows_aliases = false;                      // the aliases of `versions` are all theirs
    std::vector<std::int64_t> gone_versions;         // there are no such versions
    bool is_whole = false;                           // no version but `versions` is there
    std::string renamed_from;                        // not empty: it had this name until now
};

}  // namespace replica
