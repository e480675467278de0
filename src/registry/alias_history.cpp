#include "registry/alias_history.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/strings.hpp"
#include "registry/json.hpp"

namespace registry {

namespace {

constexpr std::array<std::string_view, 7> kEvents{
    "first_seen", "set", "rolled_back", "removed", "version_deleted", "model_renamed", "model_deleted"};
constexpr std::array<std::string_view, 3> kSources{"call", "mlflow", "start_up"};

template <class Enum, std::size_t Count>
std::optional<Enum> parse(const std::array<std::string_view, Count>& names, std::string_view text) {
    const auto found = std::ranges::find(names, text);
    return found == names.end() ? std::nullopt : std::optional(static_cast<Enum>(found - names.begin()));
}

std::optional<AliasEvent> event_of(const Call& call) {
    switch (call.operation) {
        case Operation::set_alias:
            return call.rollback_from ? AliasEvent::rolled_back : AliasEvent::set;
        case Operation::delete_alias:
            return AliasEvent::removed;
        case Operation::delete_version:
            return AliasEvent::version_deleted;
        case Operation::rename_model:
            return AliasEvent::model_renamed;
        case Operation::delete_model:
            return AliasEvent::model_deleted;
        default:
            return std::nullopt;
    }
}

AliasEvent event_without_act(const AliasChange& change, const AliasSight& sight) {
    if (!change.to) {
        return sight.is_there ? AliasEvent::removed : AliasEvent::model_deleted;
    }
    return sight.is_first && !change.from ? AliasEvent::first_seen : AliasEvent::set;
}

}  // namespace

std::string_view to_string(AliasEvent event) {
    return kEvents.at(static_cast<std::size_t>(event));
}

std::string_view to_string(ChangeSource source) {
    return kSources.at(static_cast<std::size_t>(source));
}

std::optional<AliasEvent> parse_alias_event(std::string_view text) {
    return parse<AliasEvent>(kEvents, text);
}

std::optional<ChangeSource> parse_change_source(std::string_view text) {
    return parse<ChangeSource>(kSources, text);
}

bool Act::explains(const AliasChange& change) const {
    const bool is_of_model = change.model == model;
    switch (event) {
        case AliasEvent::set:
        case AliasEvent::rolled_back:
            return is_of_model && change.alias == alias && change.to == version;
        case AliasEvent::removed:
            return is_of_model && change.alias == alias && !change.to;
        case AliasEvent::version_deleted:
            return is_of_model && change.from == version && !change.to;
        case AliasEvent::model_deleted:
            return is_of_model && !change.to;
        case AliasEvent::model_renamed:
            return (is_of_model && !change.to) || (change.model == ModelKey{model.workspace, new_name} && !change.from);
        case AliasEvent::first_seen:
            return false;
    }
    return false;
}

std::optional<Act> act_of(const Call& call) {
    const std::optional<AliasEvent> event = event_of(call);
    if (!event) {
        return std::nullopt;
    }
    const base::Result<boost::json::object> arguments = arguments_of(call);
    if (!arguments) {
        return std::nullopt;
    }
    const auto version = base::parse_uint(base::trim(text_at(*arguments, "version")));
    return Act{.event = *event,
               .author = call.author,
               .model = {std::string(normal_workspace(call.workspace)), text_at(*arguments, "name")},
               .alias = text_at(*arguments, "alias"),
               .version = static_cast<std::int64_t>(version.value_or(0)),
               .new_name = text_at(*arguments, "new_name")};
}

std::vector<AliasChange> changes_between(const std::vector<Alias>& last_seen,
                                         const AliasSight& sight,
                                         const std::optional<Act>& act,
                                         ChangeSource otherwise,
                                         Timestamp now) {
    std::map<std::string, std::pair<std::optional<std::int64_t>, std::optional<std::int64_t>>> versions;
    for (const Alias& alias : last_seen) {
        versions[alias.name].first = alias.version;
    }
    for (const Alias& alias : sight.aliases) {
        versions[alias.name].second = alias.version;
    }
    std::vector<AliasChange> changes;
    for (const auto& [name, named] : versions) {
        if (named.first == named.second) {
            continue;
        }
        AliasChange change{.at = now, .model = sight.model, .alias = name, .from = named.first, .to = named.second};
        if (act && act->explains(change)) {
            change.event = act->event;
            change.author = act->author;
            if (act->event == AliasEvent::model_renamed) {
                change.other_name = change.to ? act->model.name : act->new_name;
            }
        } else {
            change.event = event_without_act(change, sight);
            change.source = otherwise;
        }
        changes.push_back(std::move(change));
    }
    return changes;
}

std::vector<std::int64_t> versions_left_at(const std::vector<AliasChange>& newest_first, std::string_view alias) {
    std::vector<std::int64_t> versions;
    for (auto change = newest_first.rbegin(); change != newest_first.rend(); ++change) {
        if (change->alias != alias) {
            continue;
        }
        if (!change->to) {
            const bool is_of_another_model =
                change->event == AliasEvent::model_deleted || change->event == AliasEvent::model_renamed;
            versions.resize(is_of_another_model ? 0 : versions.size());
            continue;
        }
        if (change->event == AliasEvent::rolled_back) {
            if (change->from && !versions.empty() && versions.back() == *change->from) {
                versions.pop_back();
            }
            const auto target = std::ranges::find(versions.rbegin(), versions.rend(), *change->to);
            if (target != versions.rend()) {
                versions.erase(target.base(), versions.end());
            }
        }
        if (versions.empty() || versions.back() != *change->to) {
            versions.push_back(*change->to);
        }
    }
    return versions;
}

std::optional<std::int64_t> version_to_roll_back_to(const std::vector<AliasChange>& newest_first,
                                                    std::string_view alias) {
    const auto last = std::ranges::find(newest_first, alias, &AliasChange::alias);
    std::vector<std::int64_t> versions = versions_left_at(newest_first, alias);
    if (last != newest_first.end() && last->to && !versions.empty()) {
        versions.pop_back();
    }
    return versions.empty() ? std::nullopt : std::optional(versions.back());
}

}  // namespace registry
