#include "offline/run_call.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/strings.hpp"
#include "offline/run_arguments.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

namespace offline {

namespace {

namespace json = boost::json;

struct Path {
    std::string_view method;
    std::string_view name;
    RunOperation operation;
};

constexpr std::array<std::string_view, 2> kRoots{"/api/2.0/mlflow/runs/", "/ajax-api/2.0/mlflow/runs/"};

constexpr std::array<Path, 10> kPaths{{
    {"POST", "log-metric", RunOperation::log_metric},
    {"POST", "log-batch", RunOperation::log_batch},
    {"POST", "log-parameter", RunOperation::log_parameter},
    {"POST", "set-tag", RunOperation::set_tag},
    {"POST", "update", RunOperation::update},
    {"POST", "create", RunOperation::create},
    {"GET", "get", RunOperation::get},
    {"POST", "delete", RunOperation::remove},
    {"POST", "restore", RunOperation::restore},
    {"POST", "delete-tag", RunOperation::delete_tag},
}};

bool is_alphanumeric(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string plain_run_id(std::string_view text) {
    constexpr std::size_t kMaxLength = 256;
    const bool is_plain = !text.empty() && text.size() <= kMaxLength && is_alphanumeric(text.front()) &&
                          std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || c == '_' || c == '-'; });
    return is_plain ? std::string(text) : "";
}

}  // namespace

std::optional<RunOperation> find_run_operation(std::string_view method, std::string_view path) {
    for (const std::string_view root : kRoots) {
        if (path.starts_with(root)) {
            const std::string_view name = path.substr(root.size());
            const auto* const found = std::ranges::find_if(
                kPaths, [&](const Path& known) { return known.name == name && known.method == method; });
            return found == kPaths.end() ? std::nullopt : std::optional(found->operation);
        }
    }
    return std::nullopt;
}

bool is_deferrable(RunOperation operation) {
    switch (operation) {
        case RunOperation::update:
        case RunOperation::log_metric:
        case RunOperation::log_batch:
        case RunOperation::log_parameter:
        case RunOperation::set_tag:
            return true;
        default:
            return false;
    }
}

std::optional<json::object> parse_object(std::string_view body) {
    json::parse_options options;
    options.max_depth = 100;
    boost::system::error_code error;
    json::value value = json::parse(body, error, {}, options);
    return error || !value.is_object() ? std::nullopt : std::optional(std::move(value.get_object()));
}

std::string run_id_of(RunOperation operation, const json::object& arguments) {
    const auto text_at = [&](std::string_view name) -> std::string_view {
        const json::value* value = arguments.if_contains(name);
        return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
    };
    const std::string_view run_id = text_at("run_id");
    return plain_run_id(run_id.empty() && operation != RunOperation::log_batch ? text_at("run_uuid") : run_id);
}

std::string run_id_of(std::string_view query) {
    for (const std::string_view part : base::split_list(query, '&')) {
        for (const std::string_view name : {"run_id=", "run_uuid="}) {
            if (part.starts_with(name)) {
                return plain_run_id(part.substr(name.size()));
            }
        }
    }
    return "";
}

base::Result<void> check_run_call(RunOperation operation, const json::object& arguments) {
    switch (operation) {
        case RunOperation::log_metric:
            return check_log_metric(arguments);
        case RunOperation::log_batch:
            return check_log_batch(arguments);
        case RunOperation::log_parameter:
            return check_log_parameter(arguments);
        case RunOperation::set_tag:
            return check_set_tag(arguments);
        case RunOperation::update:
            return check_update(arguments);
        default:
            return base::fail(base::Code::unsupported, "only MLflow answers this call");
    }
}

std::string lane_of(std::string_view workspace, std::string_view run_id) {
    return fmt::format("{}{}/{}", kRunLanes, workspace, run_id);
}

std::string_view run_of_lane(std::string_view lane) {
    return lane.substr(lane.rfind('/') + 1);
}

}  // namespace offline
