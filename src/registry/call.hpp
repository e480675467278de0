// A registry call as it came by HTTP, and its arguments by the rules all of MLflow's calls share
// (mlflow/server/handlers.py).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "registry/operation.hpp"

#include <boost/json/object.hpp>

namespace registry {

// MLflow's default workspace is the empty one, however it was named.
std::string_view normal_workspace(std::string_view name);

// The key that came with a call; both empty: nobody was asked for one.
struct Author {
    std::string key_id{};
    std::string key_name{};

    bool operator==(const Author&) const = default;
};

struct Call {
    Operation operation = Operation::get_model;
    std::string method;
    std::string workspace;     // X-MLFLOW-WORKSPACE
    std::string query;         // of the target, without '?', still encoded
    std::string content_type;  // empty: none
    std::string body;
    std::string user;  // whom a new version names as its creator; empty: nobody
    Author author{};
    // Of set_alias: it takes the alias back from this version to an earlier one, and must not if it names another by
    // now. 0: from not being set.
    std::optional<std::int64_t> rollback_from{};
};

// The arguments by name, typed as the call's schema says: from the query for GET, else from the body.
base::Result<boost::json::object> arguments_of(const Call& call);

}  // namespace registry
