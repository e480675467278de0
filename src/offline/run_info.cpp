#include "offline/run_info.hpp"

#include <utility>

#include "registry/json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

namespace offline {

namespace {

namespace json = boost::json;

constexpr std::string_view kRunNameTag = "mlflow.runName";
constexpr std::string_view kLifecycle = "lifecycle_stage";
constexpr std::size_t kMaxInfo = 16UL * 1024;

const json::object* object_at(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value == nullptr ? nullptr : value->if_object();
}

void set_run_name(json::object& info, const json::object& tag) {
    const std::string value = registry::text_at(tag, "value");
    if (registry::text_at(tag, "key") == kRunNameTag && !value.empty()) {
        info["run_name"] = value;
    }
}

void set_run_name(json::object& info, const json::value* tags) {
    const json::array* list = tags == nullptr ? nullptr : tags->if_array();
    if (list != nullptr) {
        for (const json::value& tag : *list) {
            set_run_name(info, tag.get_object());
        }
    }
}

void update(json::object& info, const json::object& arguments) {
    for (const std::string_view name : {"status", "end_time"}) {
        const json::value* value = arguments.if_contains(name);
        if (value != nullptr && !value->is_null()) {
            info[name] = *value;
        }
    }
    if (const std::string name = registry::text_at(arguments, "run_name"); !name.empty()) {
        info["run_name"] = name;
    }
}

}  // namespace

std::optional<SeenRun> seen_in_answer(RunOperation operation, std::string_view body) {
    const bool tells_of_a_run =
        operation == RunOperation::create || operation == RunOperation::get || operation == RunOperation::update;
    const std::optional<json::object> answer = tells_of_a_run ? parse_object(body) : std::nullopt;
    if (!answer) {
        return std::nullopt;
    }
    const json::object* outer = operation == RunOperation::update ? &*answer : object_at(*answer, "run");
    const json::object* info =
        outer == nullptr ? nullptr : object_at(*outer, operation == RunOperation::update ? "run_info" : "info");
    if (info == nullptr) {
        return std::nullopt;
    }
    SeenRun seen{run_id_of(operation, *info), json::serialize(*info)};
    if (seen.run_id.empty() || seen.info.size() > kMaxInfo) {
        return std::nullopt;
    }
    return seen;
}

std::string after_call(RunOperation operation, const json::object& arguments, std::string_view info) {
    json::object changed = parse_object(info).value_or(json::object());
    switch (operation) {
        case RunOperation::update:
            update(changed, arguments);
            break;
        case RunOperation::set_tag:
            set_run_name(changed, arguments);
            break;
        case RunOperation::log_batch:
            set_run_name(changed, arguments.if_contains("tags"));
            break;
        case RunOperation::remove:
            changed[kLifecycle] = "deleted";
            break;
        case RunOperation::restore:
            changed[kLifecycle] = "active";
            break;
        default:
            return std::string(info);
    }
    return changed.empty() ? "" : json::serialize(changed);
}

bool is_deleted(std::string_view info) {
    const std::optional<json::object> known = parse_object(info);
    return known && registry::text_at(*known, kLifecycle) == "deleted";
}

std::string deleted_message(std::string_view run_id) {
    return fmt::format("The run {} must be in the 'active' state. Current state is deleted.", run_id);
}

std::string answer_to(RunOperation operation, std::string_view run_id, std::string_view info) {
    if (operation != RunOperation::update) {
        return "{}";
    }
    json::object known = parse_object(info).value_or(json::object());
    known["run_id"] = run_id;
    known["run_uuid"] = run_id;
    return registry::serialize({{"run_info", std::move(known)}});
}

}  // namespace offline
