#include "offline/run_arguments.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "registry/python.hpp"
#include "registry/utf8.hpp"
#include "registry/validation.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

namespace offline {

namespace {

namespace json = boost::json;
namespace python = registry::python;

constexpr std::size_t kMaxKeyLength = 250;
constexpr std::size_t kMaxMetrics = 1000;
constexpr std::size_t kMaxParamsOrTags = 100;

enum class Kind { text, integer, number };

struct Member {
    std::string_view name;
    Kind kind = Kind::text;
    bool is_required = false;
};

constexpr std::array<Member, 2> kRunId{{{"run_id"}, {"run_uuid"}}};
constexpr std::array<Member, 7> kMetric{{{"key", Kind::text, true},
                                         {"value", Kind::number, true},
                                         {"timestamp", Kind::integer, true},
                                         {"step", Kind::integer},
                                         {"model_id"},
                                         {"dataset_name"},
                                         {"dataset_digest"}}};
constexpr std::array<Member, 2> kKeyValue{{{"key", Kind::text, true}, {"value"}}};
constexpr std::array<Member, 2> kUpdate{{{"end_time", Kind::integer}, {"run_name"}}};

std::unexpected<base::Error> invalid(std::string message) {
    return base::fail(base::Code::invalid_argument, std::move(message));
}

std::unexpected<base::Error> only_mlflow_can_say() {
    return base::fail(base::Code::unsupported, "only MLflow can say what it makes of these arguments");
}

std::unexpected<base::Error> missing(std::string_view path) {
    return invalid(registry::missing_value_message(path) +
                   " See the API docs for more information about request parameters.");
}

// Null where it is absent, to which protobuf's null is equal.
const json::value* find(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
}

bool is_integer(const json::value& value) {
    return value.is_int64() || (value.is_string() && python::parse_int(value.get_string()).has_value());
}

bool is_number(const json::value& value) {
    if (!value.is_string()) {
        return value.is_number();
    }
    const std::string_view text = value.get_string();
    return text == "NaN" || text == "Infinity" || text == "-Infinity";
}

bool has_kind(const json::value& value, Kind kind) {
    switch (kind) {
        case Kind::text:
            return value.is_string();
        case Kind::integer:
            return is_integer(value);
        case Kind::number:
            return is_number(value);
    }
    return false;
}

bool is_empty(const json::value* value) {
    return value == nullptr || (value->is_string() && value->get_string().empty());
}

// Every value is of a type that MLflow reads without a doubt, and no name has protobuf's other spelling.
bool is_plain(const json::object& object, std::span<const Member> members) {
    const bool has_other_spelling = std::ranges::any_of(object, [](const auto& member) {
        return std::ranges::any_of(member.key(), [](char c) { return c >= 'A' && c <= 'Z'; });
    });
    return !has_other_spelling && std::ranges::all_of(members, [&](const Member& member) {
        const json::value* value = find(object, member.name);
        return value == nullptr || has_kind(*value, member.kind) || (member.is_required && is_empty(value));
    });
}

base::Result<void> check_required(const json::object& object, std::span<const Member> members, std::string_view path) {
    for (const Member& member : members) {
        if (member.is_required && is_empty(find(object, member.name))) {
            return missing(fmt::format("{}{}", path, member.name));
        }
    }
    return {};
}

std::string_view text_at(const json::object& object, std::string_view name) {
    const json::value* value = find(object, name);
    return value == nullptr ? std::string_view() : std::string_view(value->get_string());
}

base::Result<void> check_run_id(const json::object& arguments, bool takes_uuid) {
    if (!is_plain(arguments, kRunId)) {
        return only_mlflow_can_say();
    }
    const bool is_given = arguments.contains("run_id") && !arguments.at("run_id").is_null()
                              ? !text_at(arguments, "run_id").empty()
                          : takes_uuid ? !text_at(arguments, "run_uuid").empty()
                                       : false;
    return is_given ? base::Result<void>() : missing("run_id");
}

// As Python's str() writes it.
std::string python_number(const json::value& value) {
    if (value.is_string()) {
        return value.get_string() == "NaN" ? "nan" : value.get_string() == "Infinity" ? "inf" : "-inf";
    }
    std::string text;
    python::append_json(text, value.to_number<double>());
    return text;
}

std::int64_t to_integer(const json::value& value) {
    return value.is_int64() ? value.get_int64() : python::parse_int(value.get_string()).value_or(0);
}

// What the store checks. `path`: "" or "metrics[0].".
base::Result<void> check_metric(const json::object& metric, std::string_view path) {
    const std::string_view key = text_at(metric, "key");
    if (auto checked = registry::check_entity_name(key, fmt::format("{}name", path)); !checked) {
        return checked;
    }
    const std::int64_t timestamp = to_integer(*find(metric, "timestamp"));
    if (timestamp < 0) {
        return invalid(
            registry::invalid_value_message(fmt::format("{}timestamp", path),
                                            std::to_string(timestamp),
                                            fmt::format("metric '{}' (value={}). Timestamp must be a nonnegative long "
                                                        "(64-bit integer) ",
                                                        key,
                                                        python_number(*find(metric, "value")))));
    }
    return registry::check_length("Metric name", key, kMaxKeyLength);
}

bool has_half_a_dataset(const json::object& metric) {
    return text_at(metric, "dataset_name").empty() != text_at(metric, "dataset_digest").empty();
}

base::Result<void> check_param(const json::object& param, std::string_view path) {
    const std::string_view key = text_at(param, "key");
    if (auto checked = registry::check_entity_name(key, fmt::format("{}key", path)); !checked) {
        return checked;
    }
    return registry::check_length("Param key", key, kMaxKeyLength);
}

base::Result<void> check_tag(const json::object& tag, std::string_view path) {
    const std::string_view key = text_at(tag, "key");
    const std::string name = fmt::format("{}key", path);
    if (auto checked = registry::check_entity_name(key, name); !checked) {
        return checked;
    }
    return registry::check_length(name, key, kMaxKeyLength);
}

struct List {
    std::string_view name;
    std::span<const Member> members;
    base::Result<void> (*check)(const json::object&, std::string_view path);
};

constexpr std::array<List, 3> kLists{
    {{"metrics", kMetric, check_metric}, {"params", kKeyValue, check_param}, {"tags", kKeyValue, check_tag}}};

const json::array& items_of(const json::object& arguments, std::string_view name) {
    static const json::array none;
    const json::value* value = find(arguments, name);
    return value == nullptr ? none : value->get_array();
}

bool is_plain_list(const json::object& arguments, const List& list) {
    const json::value* value = find(arguments, list.name);
    return value == nullptr ||
           (value->is_array() && std::ranges::all_of(value->get_array(), [&](const json::value& item) {
                return item.is_object() && is_plain(item.get_object(), list.members) &&
                       (list.name != "metrics" || !has_half_a_dataset(item.get_object()));
            }));
}

// `check(item, path)` for every item of every list, until one is refused.
template <class Check>
base::Result<void> for_each_item(const json::object& arguments, Check check) {
    for (const List& list : kLists) {
        const json::array& items = items_of(arguments, list.name);
        for (std::size_t i = 0; i < items.size(); ++i) {
            base::Result<void> checked = check(list, items[i].get_object(), fmt::format("{}[{}].", list.name, i));
            if (!checked) {
                return checked;
            }
        }
    }
    return {};
}

base::Result<void> check_limit(std::string_view name, std::size_t limit, std::size_t size) {
    if (size <= limit) {
        return {};
    }
    return invalid(
        fmt::format("A batch logging request can contain at most {0} {1}. Got {2} {1}. Please split up {1} across "
                    "multiple requests and try again.",
                    limit,
                    name,
                    size));
}

base::Result<void> check_limits(const json::object& arguments) {
    const std::size_t metrics = items_of(arguments, "metrics").size();
    const std::size_t params = items_of(arguments, "params").size();
    const std::size_t tags = items_of(arguments, "tags").size();
    const std::array checks{check_limit("metrics", kMaxMetrics, metrics),
                            check_limit("params", kMaxParamsOrTags, params),
                            check_limit("tags", kMaxParamsOrTags, tags),
                            check_limit("metrics, params, and tags", kMaxMetrics, metrics + params + tags)};
    const auto* const failed = std::ranges::find_if(checks, [](const auto& check) { return !check; });
    return failed == checks.end() ? base::Result<void>() : *failed;
}

base::Result<void> check_params_are_unique(const json::object& arguments) {
    std::set<std::string_view> keys;
    json::array repeated;
    for (const json::value& param : items_of(arguments, "params")) {
        const std::string_view key = text_at(param.get_object(), "key");
        if (!keys.insert(key).second) {
            repeated.emplace_back(key);
        }
    }
    if (repeated.empty()) {
        return {};
    }
    return invalid(
        fmt::format("Duplicate parameter keys have been submitted: {}. Please ensure the request contains "
                    "only one param value per param key.",
                    python::repr(json::value(repeated))));
}

// A run, a key and a value: MLflow's own check, then the store's.
base::Result<void> check_single(const json::object& arguments,
                                std::span<const Member> members,
                                base::Result<void> (*check)(const json::object&, std::string_view)) {
    if (!is_plain(arguments, members)) {
        return only_mlflow_can_say();
    }
    if (auto checked = check_run_id(arguments, true); !checked) {
        return checked;
    }
    if (auto checked = check_required(arguments, members, ""); !checked) {
        return checked;
    }
    return check(arguments, "");
}

}  // namespace

base::Result<void> check_log_metric(const json::object& arguments) {
    if (is_plain(arguments, kMetric) && has_half_a_dataset(arguments)) {
        return only_mlflow_can_say();
    }
    return check_single(arguments, kMetric, check_metric);
}

base::Result<void> check_log_parameter(const json::object& arguments) {
    return check_single(arguments, kKeyValue, check_param);
}

base::Result<void> check_set_tag(const json::object& arguments) {
    return check_single(arguments, kKeyValue, check_tag);
}

base::Result<void> check_update(const json::object& arguments) {
    constexpr std::array<std::string_view, 5> kStatuses{"RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"};
    const json::value* status = find(arguments, "status");
    const bool is_known = status == nullptr || (status->is_string() &&
                                                std::ranges::find(kStatuses, status->get_string()) != kStatuses.end());
    if (!is_known || !is_plain(arguments, kUpdate)) {
        return only_mlflow_can_say();
    }
    return check_run_id(arguments, true);
}

base::Result<void> check_log_batch(const json::object& arguments) {
    if (!std::ranges::all_of(kLists, [&](const List& list) { return is_plain_list(arguments, list); })) {
        return only_mlflow_can_say();
    }
    if (auto checked = check_run_id(arguments, false); !checked) {
        return checked;
    }
    auto checked = for_each_item(arguments, [](const List& list, const json::object& item, const std::string& path) {
        return check_required(item, list.members, path);
    });
    if (checked) {
        checked = for_each_item(arguments, [](const List& list, const json::object& item, const std::string& path) {
            return list.check(item, path);
        });
    }
    if (checked) {
        checked = check_limits(arguments);
    }
    return checked ? check_params_are_unique(arguments) : checked;
}

}  // namespace offline
