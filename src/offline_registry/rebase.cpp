#include "offline_registry/rebase.hpp"

#include <optional>
#include <utility>

#include "base/strings.hpp"
#include "offline_registry/promise.hpp"
#include "registry/json.hpp"
#include "registry_http/error_response.hpp"
#include "replica/merge.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace offline_registry {

namespace {

namespace json = boost::json;

// A version as arguments name it: a text, or in old clients a number.
std::int64_t version_in(const json::value& value) {
    if (value.is_int64()) {
        return value.get_int64();
    }
    const std::string_view text = value.is_string() ? std::string_view(value.get_string()) : "";
    return static_cast<std::int64_t>(base::parse_uint(base::trim(text)).value_or(0));
}

void renumber_source(json::object& arguments, const registry::ModelKey& key, const Numbers& numbers) {
    const std::string prefix = "models:/" + key.name + "/";
    const std::string source = registry::text_at(arguments, "source");
    if (!source.starts_with(prefix)) {
        return;
    }
    const auto promised = base::parse_uint(std::string_view(source).substr(prefix.size()));
    const auto found = promised ? numbers.find(static_cast<std::int64_t>(*promised)) : numbers.end();
    if (found != numbers.end()) {
        arguments["source"] = prefix + std::to_string(found->second);
    }
}

// A number can be promised twice, the model being deleted in between.
void note_number(Numbers& numbers, std::int64_t promised, std::int64_t given) {
    if (given == promised) {
        numbers.erase(promised);
    } else {
        numbers[promised] = given;
    }
}

// MLflow's lists don't show where artifacts are, and the rows that know it are about to go.
base::Result<void> keep_uris(registry::Reader& reader, replica::ModelView& view) {
    for (registry::ModelVersion& version : view.versions) {
        const auto stored = reader.find_version(view.key, version.version);
        if (!stored) {
            return std::unexpected(stored.error());
        }
        if (*stored && (*stored)->creation_timestamp == version.creation_timestamp &&
            (*stored)->source == version.source) {
            version.artifact_uri = (*stored)->artifact_uri;
        }
    }
    return {};
}

// A version that was there and was deleted leaves its number given out.
base::Result<void> give_out(registry::Writer& writer, const registry::ModelKey& key, std::int64_t number) {
    const base::Result<std::int64_t> highest = writer.highest_version(key);
    if (!highest || *highest >= number) {
        return highest ? base::Result<void>() : std::unexpected(highest.error());
    }
    registry::ModelVersion version;
    version.name = key.name;
    version.version = number;
    const base::Result<void> put = writer.put_version(key.workspace, version);
    return put ? writer.erase_version(key, number) : put;
}

}  // namespace

std::string to_text(const Numbers& numbers) {
    json::object object;
    for (const auto& [promised, given] : numbers) {
        object[std::to_string(promised)] = given;
    }
    return json::serialize(object);
}

Numbers numbers_from(std::string_view text) {
    Numbers numbers;
    const json::value value = parse_json(text);
    for (const auto& [promised, given] : value.is_object() ? value.get_object() : json::object()) {
        const auto number = base::parse_uint(promised);
        if (number && given.is_int64()) {
            numbers.emplace(static_cast<std::int64_t>(*number), given.get_int64());
        }
    }
    return numbers;
}

std::string renumbered(const std::string& body, const registry::ModelKey& key, const Numbers& numbers) {
    json::value value = parse_json(body);
    if (value.is_string()) {  // which holds JSON, as old clients send it
        value = parse_json(value.get_string());
    }
    if (numbers.empty() || !value.is_object()) {
        return body;
    }
    json::object& arguments = value.get_object();
    if (json::value* const version = arguments.if_contains("version")) {
        const auto found = numbers.find(version_in(*version));
        if (found != numbers.end()) {
            *version = json::string(std::to_string(found->second));
        }
    }
    renumber_source(arguments, key, numbers);
    return json::serialize(value);
}

base::Result<void> start_over(registry::Writer& writer, replica::ModelView view, std::int64_t highest_given) {
    const base::Result<void> kept = keep_uris(writer, view);
    if (!kept) {
        return kept;
    }
    const auto before = writer.find_model(view.key);
    if (!before) {
        return std::unexpected(before.error());
    }
    const bool is_same = *before && view.model && (*before)->creation_timestamp == view.model->creation_timestamp;
    const base::Result<void> erased = writer.erase_model(view.key);
    if (!erased) {
        return erased;
    }
    const base::Result<replica::Merged> merged = replica::merge(writer, view, replica::Filling::whole);
    if (!merged) {
        return std::unexpected(merged.error());
    }
    return is_same ? give_out(writer, view.key, highest_given) : base::Result<void>();
}

base::Result<Rebased> rebase(registry::Writer& writer,
                             const registry::ModelKey& key,
                             std::vector<journal::Entry> entries,
                             Numbers numbers,
                             base::WallTime now) {
    Rebased rebased;
    rebased.numbers = std::move(numbers);
    std::optional<Point> present;
    for (journal::Entry& entry : entries) {
        const base::Result<Expectation> was = expectation_of(entry);
        if (!was) {
            return std::unexpected(was.error());
        }
        entry.body = renumbered(entry.body, key, rebased.numbers);
        const base::Result<registry::Call> call = call_of(entry);
        if (!call) {
            return std::unexpected(call.error());
        }
        const bool is_create = call->operation == registry::Operation::create_version;
        const base::Result<Promise> promise = carry_out(writer, *call, key, entry.accepted_at, present);
        if (!promise) {
            if (is_of_store(promise.error())) {
                return std::unexpected(promise.error());
            }
            const unsigned status = registry_http::to_response(promise.error()).status;
            rebased.rejected.push_back({entry.sequence, status, promise.error().message, now});
            if (is_create) {
                rebased.numbers[was->after.highest_version] = 0;
            }
            continue;
        }
        if (is_create) {
            note_number(rebased.numbers, was->after.highest_version, promise->expectation.after.highest_version);
        }
        entry.about = to_text(promise->expectation);
        present = promise->expectation.after;
        rebased.rewritten.push_back(std::move(entry));
    }
    return rebased;
}

}  // namespace offline_registry
