#include "registry/schema.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "registry/python.hpp"
#include "registry/validation.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace registry {

namespace {

namespace json = boost::json;

constexpr Parameter required(std::string_view name) {
    return {.name = name, .is_required = true};
}

constexpr Parameter optional(std::string_view name, Kind kind = Kind::text) {
    return {.name = name, .kind = kind};
}

constexpr Parameter unchecked(std::string_view name) {
    return {.name = name, .is_checked = false};
}

constexpr Parameter at_most(std::string_view name, std::int64_t limit) {
    return {.name = name, .kind = Kind::integer, .limit = limit};
}

constexpr std::array kCreateModel{
    required("name"), optional("tags", Kind::tags), optional("description"), unchecked("deployment_job_id")};
constexpr std::array kRenameModel{required("name"), required("new_name")};
constexpr std::array kUpdateModel{required("name"), optional("description"), unchecked("deployment_job_id")};
constexpr std::array kModel{required("name")};
constexpr std::array kSearchModels{
    optional("filter"), at_most("max_results", 1000), optional("order_by", Kind::texts), optional("page_token")};
constexpr std::array kGetLatestVersions{required("name"), optional("stages", Kind::texts)};
constexpr std::array kSetModelTag{required("name"), required("key"), optional("value")};
constexpr std::array kDeleteModelTag{required("name"), required("key")};
constexpr std::array kSetAlias{required("name"), required("alias"), required("version")};
constexpr std::array kAlias{required("name"), required("alias")};
constexpr std::array kCreateVersion{required("name"),
                                    required("source"),
                                    optional("run_id"),
                                    optional("tags", Kind::tags),
                                    optional("run_link"),
                                    optional("description"),
                                    optional("model_id")};
constexpr std::array kUpdateVersion{required("name"), required("version"), optional("description")};
constexpr std::array kTransitionStage{
    required("name"), required("version"), required("stage"), optional("archive_existing_versions", Kind::boolean)};
constexpr std::array kVersion{required("name"), required("version")};
constexpr std::array kSearchVersions{
    optional("filter"), at_most("max_results", 200'000), optional("order_by", Kind::texts), optional("page_token")};
constexpr std::array kGetDownloadUri{unchecked("name"), unchecked("version")};
constexpr std::array kSetVersionTag{required("name"), required("version"), required("key"), optional("value")};
constexpr std::array kDeleteVersionTag{required("name"), required("version"), required("key")};

std::unexpected<base::Error> refuse(std::string message) {
    return base::fail(base::Code::invalid_argument,
                      std::move(message) + " See the API docs for more information about request parameters.");
}

// Protobuf's name of a field in JSON.
std::string camel_case(std::string_view name) {
    std::string camel;
    bool is_start = false;
    for (const char c : name) {
        if (c == '_') {
            is_start = true;
            continue;
        }
        camel.push_back(is_start ? static_cast<char>(c - ('a' - 'A')) : c);
        is_start = false;
    }
    return camel;
}

std::optional<std::int64_t> whole(double number) {
    constexpr double kLimit = 9.2e18;
    if (std::abs(number) > kLimit || std::trunc(number) != number) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(number);
}

std::optional<std::int64_t> parse_integer(const json::value& value) {
    if (value.is_int64()) {
        return value.get_int64();
    }
    if (value.is_double()) {
        return whole(value.get_double());
    }
    if (value.is_string() && !std::string_view(value.get_string()).contains(' ')) {
        return python::parse_int(value.get_string());
    }
    return std::nullopt;
}

// Reads into `tag` until a value is none.
bool parse_tag(const json::value& value, json::object& tag) {
    if (!value.is_object()) {
        return false;
    }
    for (const auto& member : value.get_object()) {
        if ((member.key() != "key" && member.key() != "value") || member.value().is_null()) {
            continue;
        }
        if (!member.value().is_string()) {
            return false;
        }
        tag[member.key()] = member.value();
    }
    return true;
}

template <class Append>
bool parse_items(const json::value& value, json::value& parsed, Append append) {
    json::array& items = parsed.emplace_array();
    return value.is_array() &&
           std::ranges::all_of(value.get_array(), [&](const json::value& item) { return append(items, item); });
}

bool parse_value(Kind kind, const json::value& value, json::value& parsed) {
    switch (kind) {
        case Kind::text:
            parsed = value;
            return value.is_string();
        case Kind::boolean:
            parsed = value;
            return value.is_bool();
        case Kind::integer: {
            const std::optional<std::int64_t> number = parse_integer(value);
            parsed = number.value_or(0);
            return number.has_value();
        }
        case Kind::texts:
            return parse_items(value, parsed, [](json::array& items, const json::value& item) {
                if (item.is_string()) {
                    items.push_back(item);
                }
                return item.is_string();
            });
        case Kind::tags:
            return parse_items(value, parsed, [](json::array& items, const json::value& item) {
                return parse_tag(item, items.emplace_back(json::object{{"key", ""}, {"value", ""}}).get_object());
            });
    }
    return false;
}

// False: stopped at a value that is of the wrong type.
bool parse_members(std::span<const Parameter> parameters, const json::object& json, json::object& arguments) {
    for (const auto& member : json) {
        const auto parameter = std::ranges::find_if(parameters, [&](const Parameter& candidate) {
            return member.key() == candidate.name || member.key() == camel_case(candidate.name);
        });
        if (parameter == parameters.end() || member.value().is_null()) {
            continue;
        }
        json::value parsed;
        const bool is_parsed = parse_value(parameter->kind, member.value(), parsed);
        const bool is_list = parameter->kind == Kind::texts || parameter->kind == Kind::tags;
        if (is_parsed || is_list) {
            arguments[parameter->name] = std::move(parsed);
        }
        if (!is_parsed) {
            return false;
        }
    }
    return true;
}

bool is_integer_within(const json::value& value, std::int64_t limit) {
    if (value.is_bool()) {
        return true;
    }
    if (value.is_double()) {
        return value.get_double() < static_cast<double>(limit) + 1;
    }
    const auto number = value.is_string() ? python::parse_int(value.get_string()) : parse_integer(value);
    return number && *number <= limit;
}

bool has_type(const Parameter& parameter, const json::value& value) {
    switch (parameter.kind) {
        case Kind::text:
            return value.is_string();
        case Kind::boolean:
            return value.is_bool();
        case Kind::tags:
            return value.is_array();
        case Kind::texts:
            return value.is_array() && std::ranges::all_of(value.get_array(), &json::value::is_string);
        case Kind::integer:
            return true;
    }
    return false;
}

base::Result<void> check(const Parameter& parameter, const json::object& json, bool is_parsed) {
    const json::value* found = json.if_contains(parameter.name);
    if (!parameter.is_checked || (found == nullptr && !parameter.is_required)) {
        return {};
    }
    const json::value value = found == nullptr ? json::value() : *found;
    const bool is_absent = value.is_null() || (value.is_string() && value.get_string().empty());
    const bool is_valid = (is_parsed || has_type(parameter, value)) &&
                          (parameter.kind != Kind::integer || is_integer_within(value, parameter.limit));
    if (!is_valid) {
        return refuse(
            invalid_value_message(parameter.name,
                                  python::json_dumps(value),
                                  " Hint: Value was of type '" + std::string(python::type_name(value)) + "'."));
    }
    if (parameter.is_required && is_absent) {
        return refuse(missing_value_message(parameter.name));
    }
    return {};
}

}  // namespace

std::span<const Parameter> parameters_of(Operation operation) {
    switch (operation) {
        case Operation::create_model:
            return kCreateModel;
        case Operation::rename_model:
            return kRenameModel;
        case Operation::update_model:
            return kUpdateModel;
        case Operation::delete_model:
        case Operation::get_model:
            return kModel;
        case Operation::search_models:
            return kSearchModels;
        case Operation::get_latest_versions:
            return kGetLatestVersions;
        case Operation::set_model_tag:
            return kSetModelTag;
        case Operation::delete_model_tag:
            return kDeleteModelTag;
        case Operation::set_alias:
            return kSetAlias;
        case Operation::delete_alias:
        case Operation::get_version_by_alias:
            return kAlias;
        case Operation::create_version:
            return kCreateVersion;
        case Operation::update_version:
            return kUpdateVersion;
        case Operation::transition_stage:
            return kTransitionStage;
        case Operation::delete_version:
        case Operation::get_version:
            return kVersion;
        case Operation::search_versions:
            return kSearchVersions;
        case Operation::get_download_uri:
            return kGetDownloadUri;
        case Operation::set_version_tag:
            return kSetVersionTag;
        case Operation::delete_version_tag:
            return kDeleteVersionTag;
    }
    return {};
}

base::Result<json::object> parse_arguments(std::span<const Parameter> parameters, const json::object& json) {
    for (const Parameter& parameter : parameters) {
        const std::string camel = camel_case(parameter.name);
        if (camel != parameter.name && json.contains(parameter.name) && json.contains(camel)) {
            return base::fail(base::Code::invalid_argument,
                              "Request specifies both '" + std::string(parameter.name) + "' and '" + camel +
                                  "'; provide only one of them.");
        }
    }
    json::object arguments;
    const bool is_parsed = parse_members(parameters, json, arguments);
    for (const Parameter& parameter : parameters) {
        if (auto checked = check(parameter, json, is_parsed); !checked) {
            return std::unexpected(checked.error());
        }
    }
    return arguments;
}

}  // namespace registry
