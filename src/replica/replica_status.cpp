#include "replica/replica_status.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "registry/json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace replica {

namespace {

constexpr std::string_view kUpstream = "replica.upstream";
constexpr std::string_view kRevision = "replica.revision";
constexpr std::string_view kLastSweep = "replica.last_sweep";
constexpr std::string_view kPosition = "replica.position";
constexpr std::string_view kMarked = "replica.marked";

constexpr std::array<std::pair<MarkReason, std::string_view>, 4> kReasons{
    {{MarkReason::unknown_outcome, "unknown_outcome"},
     {MarkReason::not_read_back, "not_read_back"},
     {MarkReason::not_stored, "not_stored"},
     {MarkReason::torn, "torn"}}};

std::int64_t number_at(const boost::json::object& object, std::string_view name) {
    const boost::json::value* const value = object.if_contains(name);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

boost::json::object to_json(const SweepRecord& sweep) {
    return {{"began", sweep.began},
            {"milliseconds", sweep.milliseconds},
            {"rows", sweep.rows},
            {"changes", sweep.changes},
            {"erased", sweep.erased},
            {"workspaces", boost::json::array(sweep.workspaces.begin(), sweep.workspaces.end())}};
}

boost::json::object to_json(const Position& position) {
    return {{"began", position.began},
            {"workspace", position.workspace},
            {"phase", position.phase},
            {"token", position.token},
            {"rows", position.rows}};
}

boost::json::array to_json(const std::vector<Mark>& marked) {
    boost::json::array items;
    for (const Mark& mark : marked) {
        items.push_back(boost::json::object{
            {"workspace", mark.model.workspace}, {"model", mark.model.name}, {"reason", to_string(mark.reason)}});
    }
    return items;
}

// Null when it is absent; what cannot be read counts as absent, since all of it can be found out again.
base::Result<boost::json::value> json_fact(registry::Reader& reader, std::string_view name) {
    const base::Result<std::optional<std::string>> fact = reader.find_fact(name);
    if (!fact) {
        return std::unexpected(fact.error());
    }
    boost::system::error_code error;
    const boost::json::value value = *fact ? boost::json::parse(**fact, error) : boost::json::value();
    return error ? boost::json::value() : value;
}

std::optional<SweepRecord> sweep_from(const boost::json::value& value) {
    if (!value.is_object()) {
        return std::nullopt;
    }
    const boost::json::object& object = value.get_object();
    SweepRecord sweep{number_at(object, "began"),
                      number_at(object, "milliseconds"),
                      number_at(object, "rows"),
                      number_at(object, "changes"),
                      number_at(object, "erased"),
                      {}};
    const boost::json::value* const workspaces = object.if_contains("workspaces");
    for (const boost::json::value& name :
         workspaces && workspaces->is_array() ? workspaces->get_array() : boost::json::array()) {
        sweep.workspaces.emplace_back(name.is_string() ? std::string_view(name.get_string()) : "");
    }
    return sweep;
}

std::optional<Position> position_from(const boost::json::value& value) {
    if (!value.is_object()) {
        return std::nullopt;
    }
    const boost::json::object& object = value.get_object();
    return Position{number_at(object, "began"),
                    registry::text_at(object, "workspace"),
                    registry::text_at(object, "phase"),
                    registry::text_at(object, "token"),
                    number_at(object, "rows")};
}

std::vector<Mark> marks_from(const boost::json::value& value) {
    std::vector<Mark> marks;
    if (!value.is_array()) {
        return marks;
    }
    for (const boost::json::value& item : value.get_array()) {
        if (!item.is_object()) {
            continue;
        }
        const std::string name = registry::text_at(item.get_object(), "reason");
        const auto* const reason = std::ranges::find(kReasons, name, [](const auto& pair) { return pair.second; });
        marks.push_back(
            {{registry::text_at(item.get_object(), "workspace"), registry::text_at(item.get_object(), "model")},
             reason == kReasons.end() ? MarkReason::torn : reason->first});
    }
    return marks;
}

}  // namespace

std::string_view to_string(MarkReason reason) {
    return std::ranges::find(kReasons, reason, [](const auto& pair) { return pair.first; })->second;
}

base::Result<ReplicaStatus> read_status(registry::Reader& reader) {
    ReplicaStatus status;
    const base::Result<std::optional<std::string>> upstream = reader.find_fact(kUpstream);
    const base::Result<std::int64_t> revision = read_revision(reader);
    const base::Result<boost::json::value> sweep = json_fact(reader, kLastSweep);
    const base::Result<boost::json::value> position = json_fact(reader, kPosition);
    const base::Result<boost::json::value> marked = json_fact(reader, kMarked);
    const base::Result<registry::Counts> counts = reader.counts();
    if (!upstream || !revision || !sweep || !position || !marked || !counts) {
        return base::fail(base::Code::unavailable, "the replica's store cannot be read");
    }
    status.upstream = upstream->value_or("");
    status.revision = *revision;
    status.last_sweep = sweep_from(*sweep);
    status.position = position_from(*position);
    status.marked = marks_from(*marked);
    status.counts = *counts;
    return status;
}

boost::json::object to_json(const ReplicaStatus& status) {
    boost::json::object object{{"upstream", status.upstream},
                               {"revision", status.revision},
                               {"complete", status.is_complete()},
                               {"models", status.counts.models},
                               {"versions", status.counts.versions},
                               {"aliases", status.counts.aliases},
                               {"marked", to_json(status.marked)}};
    if (status.last_sweep) {
        object["last_sweep"] = to_json(*status.last_sweep);
    }
    if (status.position) {
        object["position"] = to_json(*status.position);
    }
    return object;
}

base::Result<std::int64_t> read_revision(registry::Reader& reader) {
    const base::Result<std::optional<std::string>> fact = reader.find_fact(kRevision);
    if (!fact) {
        return std::unexpected(fact.error());
    }
    std::int64_t revision = 0;
    if (*fact) {
        std::from_chars((*fact)->data(), (*fact)->data() + (*fact)->size(), revision);
    }
    return revision;
}

base::Result<bool> read_is_complete(registry::Reader& reader) {
    const base::Result<std::optional<std::string>> fact = reader.find_fact(kLastSweep);
    if (!fact) {
        return std::unexpected(fact.error());
    }
    return *fact && !(*fact)->empty();
}

base::Result<void> put_upstream(registry::Writer& writer, const std::string& url) {
    return writer.put_fact(kUpstream, url);
}

base::Result<std::int64_t> add_to_revision(registry::Writer& writer, std::int64_t changes) {
    const base::Result<std::int64_t> revision = read_revision(writer);
    if (!revision || changes == 0) {
        return revision;
    }
    const base::Result<void> put = writer.put_fact(kRevision, std::to_string(*revision + changes));
    return put ? base::Result<std::int64_t>(*revision + changes) : std::unexpected(put.error());
}

base::Result<void> put_position(registry::Writer& writer, const Position& position) {
    return writer.put_fact(kPosition, boost::json::serialize(to_json(position)));
}

base::Result<void> put_marked(registry::Writer& writer, const std::vector<Mark>& marked) {
    return writer.put_fact(kMarked, boost::json::serialize(to_json(marked)));
}

base::Result<void> put_last_sweep(registry::Writer& writer, const SweepRecord& sweep) {
    const base::Result<void> put = writer.put_fact(kLastSweep, boost::json::serialize(to_json(sweep)));
    return put ? writer.put_fact(kPosition, "") : put;
}

base::Result<void> forget_facts(registry::Writer& writer) {
    for (const std::string_view name : {kUpstream, kLastSweep, kPosition, kMarked}) {
        base::Result<void> put = writer.put_fact(name, "");
        if (!put) {
            return put;
        }
    }
    return {};
}

}  // namespace replica
