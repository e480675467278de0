#include "offline_registry/promise.hpp"

#include <optional>
#include <utility>

#include "offline_registry/model_state.hpp"
#include "registry/json.hpp"
#include "registry/operation.hpp"
#include "registry/registry.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

namespace offline_registry {

namespace {

namespace json = boost::json;

std::int64_t number_at(const json::object& object, std::string_view name) {
    const json::value* const value = object.if_contains(name);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

base::Result<Point> point_of(registry::Reader& reader, const registry::ModelKey& key) {
    const base::Result<ModelState> state = state_in(reader, key);
    if (!state) {
        return std::unexpected(state.error());
    }
    const base::Result<std::int64_t> highest = reader.highest_version(key);
    if (!highest) {
        return std::unexpected(highest.error());
    }
    return Point{fingerprint(*state), *highest};
}

}  // namespace

json::value parse_json(std::string_view text) {
    boost::system::error_code error;
    const json::value value = json::parse(text, error);
    return error ? json::value() : value;
}

bool is_of_store(const base::Error& error) {
    return error.code == base::Code::unavailable || error.code == base::Code::data_loss;
}

// A workspace's name has no slash.
std::string lane_of(const registry::ModelKey& key) {
    return fmt::format("{}{}/{}", kModelLanes, key.workspace, key.name);
}

registry::ModelKey model_of_lane(std::string_view lane) {
    const std::string_view rest = lane.substr(kModelLanes.size());
    const std::size_t slash = rest.find('/');
    return {std::string(rest.substr(0, slash)), std::string(rest.substr(slash + 1))};
}

std::string to_text(const Expectation& expectation) {
    return json::serialize(json::object{{"before", expectation.before.fingerprint},
                                        {"before_highest", expectation.before.highest_version},
                                        {"after", expectation.after.fingerprint},
                                        {"after_highest", expectation.after.highest_version},
                                        {"content_type", expectation.content_type},
                                        {"key_name", expectation.key_name}});
}

base::Result<Expectation> expectation_of(const journal::Entry& entry) {
    const json::value value = parse_json(entry.about);
    if (!value.is_object()) {
        return base::fail(base::Code::data_loss,
                          fmt::format("entry {} of the journal does not say what was promised", entry.sequence));
    }
    const json::object& object = value.get_object();
    return Expectation{{registry::text_at(object, "before"), number_at(object, "before_highest")},
                       {registry::text_at(object, "after"), number_at(object, "after_highest")},
                       registry::text_at(object, "content_type"),
                       registry::text_at(object, "key_name")};
}

base::Result<registry::Call> call_of(const journal::Entry& entry) {
    const base::Result<Expectation> expectation = expectation_of(entry);
    if (!expectation) {
        return std::unexpected(expectation.error());
    }
    const std::optional<registry::Operation> operation =
        registry::find_operation(entry.method, std::string_view(entry.target).substr(0, entry.target.find('?')));
    if (!operation) {
        return base::fail(base::Code::data_loss,
                          fmt::format("entry {} of the journal is no call of the registry", entry.sequence));
    }
    registry::Call call;
    call.operation = *operation;
    call.method = entry.method;
    call.workspace = entry.workspace;
    call.content_type = expectation->content_type;
    call.body = entry.body;
    call.author = {entry.key_id, expectation->key_name};
    return call;
}

base::Result<Promise> carry_out(registry::Writer& writer,
                                const registry::Call& call,
                                const registry::ModelKey& key,
                                base::WallTime now,
                                const std::optional<Point>& before) {
    base::Result<Point> begin = before ? base::Result<Point>(*before) : point_of(writer, key);
    if (!begin) {
        return std::unexpected(begin.error());
    }
    const base::Result<json::object> answer = registry::carry_out(writer, call, now);
    if (!answer) {
        return std::unexpected(answer.error());
    }
    base::Result<Point> after = point_of(writer, key);
    if (!after) {
        return std::unexpected(after.error());
    }
    return Promise{registry::serialize(*answer),
                   {*std::move(begin), *std::move(after), call.content_type, call.author.key_name}};
}

// The rows are at most a few steps behind, and after a power failure some more: looked for from the end, so that a
// state that occurred twice is the later one.
base::Result<std::size_t> catch_up(registry::Writer& writer,
                                   const registry::ModelKey& key,
                                   std::span<const journal::Entry> entries) {
    const base::Result<Point> present = point_of(writer, key);
    if (!present) {
        return std::unexpected(present.error());
    }
    std::size_t begin = entries.size();
    bool is_found = entries.empty();
    while (begin > 0 && !is_found) {
        const base::Result<Expectation> expectation = expectation_of(entries[begin - 1]);
        if (!expectation) {
            return std::unexpected(expectation.error());
        }
        is_found = expectation->after == *present;
        if (!is_found) {
            --begin;
            is_found = expectation->before == *present;
        }
    }
    if (!is_found) {
        return base::fail(base::Code::conflict, "the rows are as they were at no point of what was accepted");
    }
    for (const journal::Entry& entry : entries.subspan(begin)) {
        const base::Result<registry::Call> call = call_of(entry);
        if (!call) {
            return std::unexpected(call.error());
        }
        const base::Result<json::object> done = registry::carry_out(writer, *call, entry.accepted_at);
        if (!done) {
            return is_of_store(done.error()) ? std::unexpected(done.error())
                                             : base::fail(base::Code::conflict, done.error().message);
        }
    }
    return entries.size() - begin;
}

}  // namespace offline_registry
