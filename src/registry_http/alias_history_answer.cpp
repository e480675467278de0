#include "registry_http/alias_history_answer.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/strings.hpp"
#include "registry_http/read_call.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace registry_http {

namespace {

namespace json = boost::json;

json::value version_value(const std::optional<std::int64_t>& version) {
    return version ? json::value(std::to_string(*version)) : json::value(nullptr);
}

std::string time_text(registry::Timestamp at) {
    return base::to_iso8601(base::WallTime(std::chrono::milliseconds(at)));
}

json::object to_json(const registry::AliasChange& change) {
    json::object object{{"sequence", change.sequence},
                        {"at", time_text(change.at)},
                        {"alias", change.alias},
                        {"from", version_value(change.from)},
                        {"to", version_value(change.to)},
                        {"event", registry::to_string(change.event)},
                        {"source", registry::to_string(change.source)},
                        {"key_id", change.author.key_id},
                        {"key_name", change.author.key_name}};
    if (!change.other_name.empty()) {
        object["other_name"] = change.other_name;
    }
    return object;
}

json::object to_json(const registry::VersionLoad& load) {
    return {{"version", std::to_string(load.version)},
            {"at", time_text(load.at)},
            {"key_id", load.by.key_id},
            {"key_name", load.by.key_name}};
}

}  // namespace

base::Result<AliasHistoryQuestion> alias_history_question(const http::RequestHead& request) {
    AliasHistoryQuestion question;
    question.model.workspace = registry::normal_workspace(workspace_of(request));
    std::string_view query = request.query;
    while (const std::optional<std::string_view> part = base::next_part(query, '&')) {
        const std::size_t equals = part->find('=');
        const std::string_view key = part->substr(0, equals);
        std::string* const value = key == "name" ? &question.model.name : key == "alias" ? &question.alias : nullptr;
        if (value != nullptr && equals != std::string_view::npos) {
            std::string spaced(part->substr(equals + 1));
            std::ranges::replace(spaced, '+', ' ');
            *value = base::percent_decode(spaced);
        }
    }
    if (question.model.name.empty()) {
        return base::fail(base::Code::invalid_argument, "name the model: ?name=MODEL, and &alias=ALIAS for one alias");
    }
    return question;
}

json::object to_json(const AliasHistoryQuestion& question,
                     const std::vector<registry::AliasChange>& changes,
                     const std::vector<registry::VersionLoad>& loads) {
    json::array shown;
    for (const registry::AliasChange& change : changes) {
        if (question.alias.empty() || change.alias == question.alias) {
            shown.push_back(to_json(change));
        }
    }
    json::array given;
    for (const registry::VersionLoad& load : loads) {
        given.push_back(to_json(load));
    }
    json::object object{{"workspace", question.model.workspace}, {"name", question.model.name}};
    if (!question.alias.empty()) {
        const auto last = std::ranges::find(changes, question.alias, &registry::AliasChange::alias);
        object["alias"] = question.alias;
        object["version"] = version_value(last == changes.end() ? std::nullopt : last->to);
        object["roll_back_to"] = version_value(registry::version_to_roll_back_to(changes, question.alias));
    }
    object["changes"] = std::move(shown);
    object["loads"] = std::move(given);
    return object;
}

}  // namespace registry_http
