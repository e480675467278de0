// The history of a model's aliases as our own API tells it.
#pragma once

#include <string>
#include <vector>

#include "http/message.hpp"
#include "registry/alias_history.hpp"
#include "registry/version_loads.hpp"

#include <boost/json/object.hpp>

namespace registry_http {

inline constexpr std::string_view kAliasHistoryPath = "/api/v1/registry/alias-history";

struct AliasHistoryQuestion {
    registry::ModelKey model;
    std::string alias;  // empty: all of the model's
};

// invalid_argument when it does not name a model.
base::Result<AliasHistoryQuestion> alias_history_question(const http::RequestHead& request);

// {"workspace", "name", "changes": [...], "loads": [...]}, both lists with the newest first; for one alias also
// {"alias", "version", "roll_back_to"}: what it was last seen to name, and where a rollback would take it, each a text
// as MLflow writes versions, or null. `changes`: of the model.
boost::json::object to_json(const AliasHistoryQuestion& question,
                            const std::vector<registry::AliasChange>& changes,
                            const std::vector<registry::VersionLoad>& loads);

}  // namespace registry_http
