#include "apps/registry_pending_command.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string_view>
#include <utility>
#include <vector>

#include "apps/journal_view.hpp"
#include "offline_registry/promise.hpp"
#include "registry/call.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace apps {

namespace {

namespace json = boost::json;
using offline_registry::kModelLanes;

constexpr std::size_t kMaxShown = 10'000;

int complain(const Console& console, const base::Error& error) {
    console.errors << "hokusai registry: " << error.message << '\n';
    return kFailed;
}

// What the journal says of models.
struct Found {
    std::vector<journal::LaneSummary> lanes;
    std::vector<journal::Hold> holds;
    std::vector<journal::Renumbering> renumbered;
    std::vector<journal::RejectedEntry> set_aside;

    [[nodiscard]] bool is_held(std::string_view lane) const {
        return std::ranges::count(holds, lane, &journal::Hold::lane) > 0;
    }

    [[nodiscard]] std::uint64_t entries_of(std::string_view lane) const {
        const auto found = std::ranges::find(lanes, lane, &journal::LaneSummary::lane);
        return found == lanes.end() ? 0 : found->entries;
    }
};

base::Result<Found> look(const ServiceSettings& settings) {
    auto store = open_journal(settings);
    auto lanes = store ? store->lanes() : std::unexpected(store.error());
    auto holds = lanes ? store->holds() : std::unexpected(lanes.error());
    auto renumbered = holds ? store->renumberings(kMaxShown) : std::unexpected(holds.error());
    auto set_aside = renumbered ? store->rejected(kMaxShown) : std::unexpected(renumbered.error());
    if (!set_aside) {
        return std::unexpected(set_aside.error());
    }
    std::erase_if(*lanes, [](const auto& lane) { return !lane.lane.starts_with(kModelLanes); });
    std::erase_if(*set_aside, [](const auto& each) { return !each.entry.lane.starts_with(kModelLanes); });
    return Found{*std::move(lanes), *std::move(holds), *std::move(renumbered), *std::move(set_aside)};
}

std::string name_of(std::string_view lane) {
    const registry::ModelKey key = offline_registry::model_of_lane(lane);
    return key.workspace.empty() ? fmt::format("'{}'", key.name)
                                 : fmt::format("'{}' of workspace {}", key.name, key.workspace);
}

json::object named(std::string_view lane) {
    const registry::ModelKey key = offline_registry::model_of_lane(lane);
    return {{"workspace", key.workspace}, {"model", key.name}};
}

std::string_view to_text(journal::Decision decision) {
    return decision == journal::Decision::none ? "" : decision == journal::Decision::apply ? "apply" : "discard";
}

json::array to_json(const std::vector<journal::Renumbering>& renumbered) {
    json::array list;
    for (const journal::Renumbering& each : renumbered) {
        json::object object = named(each.lane);
        object["promised"] = each.promised;
        object["given"] = each.given == 0 ? json::value() : json::value(each.given);
        object["at"] = base::to_iso8601(each.at);
        list.push_back(std::move(object));
    }
    return list;
}

void print(const std::vector<journal::Renumbering>& renumbered, std::ostream& out) {
    for (const journal::Renumbering& each : renumbered) {
        out << fmt::format("{}  model {}: version {} was promised, ",
                           base::to_iso8601(each.at),
                           name_of(each.lane),
                           each.promised)
            << (each.given == 0 ? "none was made\n" : fmt::format("{} was given\n", each.given));
    }
}

json::object to_json(const Found& found, bool shows_all) {
    json::array conflicts;
    for (const journal::Hold& hold : found.holds) {
        json::object object = named(hold.lane);
        object["since"] = base::to_iso8601(hold.since);
        object["reason"] = hold.reason;
        object["entries"] = found.entries_of(hold.lane);
        object["decision"] = to_text(hold.decision);
        conflicts.push_back(std::move(object));
    }
    json::object object{{"conflicts", std::move(conflicts)}, {"renumbered", to_json(found.renumbered)}};
    if (shows_all) {
        json::array set_aside;
        for (const journal::RejectedEntry& each : found.set_aside) {
            set_aside.push_back(apps::to_json(each));
        }
        object["set_aside"] = std::move(set_aside);
    }
    return object;
}

}  // namespace

int registry_pending(const ServiceSettings& settings, bool as_json, const Console& console) {
    const auto found = look(settings);
    if (!found) {
        return complain(console, found.error());
    }
    if (as_json) {
        json::array models;
        for (const journal::LaneSummary& lane : found->lanes) {
            json::object object = named(lane.lane);
            object["entries"] = lane.entries;
            object["bytes"] = lane.bytes;
            object["conflict"] = found->is_held(lane.lane);
            models.push_back(std::move(object));
        }
        console.out << json::object{{"models", std::move(models)}, {"renumbered", to_json(found->renumbered)}} << '\n';
        return kDone;
    }
    for (const journal::LaneSummary& lane : found->lanes) {
        console.out << fmt::format("model {}: {} writes wait for MLflow{}\n",
                                   name_of(lane.lane),
                                   lane.entries,
                                   found->is_held(lane.lane) ? ", and for hokusai registry resolve" : "");
    }
    if (found->lanes.empty()) {
        console.out << "no writes of models wait for MLflow\n";
    }
    print(found->renumbered, console.out);
    return kDone;
}

int registry_conflicts(const ServiceSettings& settings,
                       const RegistryConflictsRequest& request,
                       const Console& console) {
    const auto found = look(settings);
    if (!found) {
        return complain(console, found.error());
    }
    if (request.as_json) {
        console.out << to_json(*found, request.shows_all) << '\n';
        return kDone;
    }
    for (const journal::Hold& hold : found->holds) {
        console.out << fmt::format("model {}, since {}: {} writes wait\n    {}\n",
                                   name_of(hold.lane),
                                   base::to_iso8601(hold.since),
                                   found->entries_of(hold.lane),
                                   hold.reason);
        if (hold.decision != journal::Decision::none) {
            console.out << fmt::format("    decided: {}, once MLflow answers\n", to_text(hold.decision));
        }
    }
    if (found->holds.empty()) {
        console.out << "no conflicts\n";
    }
    print(found->renumbered, console.out);
    for (const journal::RejectedEntry& each : request.shows_all ? found->set_aside : decltype(found->set_aside)()) {
        console.out << apps::to_text(each);
    }
    return kDone;
}

int registry_resolve(const ServiceSettings& settings, const RegistryResolveRequest& request, const Console& console) {
    if (request.applies == request.discards) {
        console.errors << "hokusai registry: say one of --apply (what waits goes on top of what MLflow has) and "
                          "--discard (MLflow's stays, what waits is set aside)\n";
        return kWrongUsage;
    }
    const registry::ModelKey key{std::string(registry::normal_workspace(request.workspace)), request.model};
    auto store = open_journal(settings);
    const auto decided = store ? store->decide(offline_registry::lane_of(key),
                                               request.applies ? journal::Decision::apply : journal::Decision::discard)
                               : std::unexpected(store.error());
    if (!decided) {
        return complain(console, decided.error());
    }
    if (!*decided) {
        return complain(console,
                        {base::Code::not_found,
                         fmt::format("there is no conflict of model '{}': hokusai registry conflicts lists them; "
                                     "--workspace names another workspace",
                                     request.model)});
    }
    console.out << fmt::format(
        "model '{}': {} as soon as the service runs and MLflow answers; hokusai registry "
        "conflicts shows what became of it\n",
        request.model,
        request.applies ? "what waits goes on top of what MLflow has" : "what waits is set aside, and MLflow's stays");
    return kDone;
}

}  // namespace apps
