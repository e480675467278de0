#include "models/models_api.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/handlers.hpp"

namespace models {

namespace {

using http::Method;
using Handler = base::Task<http::Response> (*)(Context&, const Request&);

constexpr std::string_view kAny = "*";
constexpr std::size_t kMaxParts = 3;

struct Route {
    Method method;
    std::string_view method_name;
    std::array<std::string_view, kMaxParts> parts;  // below the prefix; empty ones end it
    Handler handler;
};

// The first that fits answers: "lineage" is no version, "registrations" no model of two parts.
constexpr std::array<Route, 16> kRoutes{{
    {Method::get, "GET, HEAD", {}, list_models},
    {Method::post, "POST", {"register"}, register_model},
    {Method::post, "POST", {"evaluate"}, evaluate_version},
    {Method::post, "POST", {"batch"}, carry_out_batch},
    {Method::get, "GET, HEAD", {"compare"}, compare_versions},
    {Method::get, "GET, HEAD", {"production"}, list_production},
    {Method::get, "GET, HEAD", {"registrations", kAny}, show_registration},
    {Method::get, "GET, HEAD", {"contributors", kAny, "impact"}, show_impact},
    {Method::get, "GET, HEAD", {kAny, "lineage"}, show_model_lineage},
    {Method::get, "GET, HEAD", {kAny, kAny}, show_version},
    {Method::patch, "PATCH", {kAny, kAny}, update_version},
    {Method::delete_, "DELETE", {kAny, kAny}, delete_version},
    {Method::post, "POST", {kAny, kAny, "transition"}, transition_version},
    {Method::get, "GET, HEAD", {kAny, kAny, "metrics"}, show_metrics},
    {Method::get, "GET, HEAD", {kAny, kAny, "lineage"}, show_version_lineage},
    {Method::get, "GET, HEAD", {kAny, kAny, "download"}, download_model_data},
}};

// What the route leaves open, when the parts fit.
std::optional<std::vector<std::string>> match(const Route& route, const std::vector<std::string>& parts) {
    std::vector<std::string> arguments;
    for (std::size_t i = 0; i < kMaxParts; ++i) {
        const bool has_part = i < parts.size();
        if (has_part == route.parts.at(i).empty()) {
            return std::nullopt;
        }
        if (has_part && route.parts.at(i) != kAny && route.parts.at(i) != parts.at(i)) {
            return std::nullopt;
        }
        if (has_part && route.parts.at(i) == kAny) {
            arguments.push_back(parts.at(i));
        }
    }
    return arguments;
}

http::Response no_such_path(const std::vector<std::string>& parts) {
    if (parts.size() == 3 && parts.back() == "predictions") {
        return problem(404, "Predictions are not recorded");
    }
    return problem(404, "Not Found");
}

}  // namespace

std::string_view required_scope(const http::RequestHead& request) {
    return request.method == Method::get || request.method == Method::head ? "model:read" : "model:write";
}

std::vector<std::pair<std::string_view, std::string>> served_calls() {
    std::vector<std::pair<std::string_view, std::string>> calls;
    for (const Route& route : kRoutes) {
        std::string path;
        for (const std::string_view part : route.parts) {
            path += part.empty() ? "" : "/" + std::string(part);
        }
        calls.emplace_back(route.method_name, std::move(path));
    }
    return calls;
}

base::Task<http::Response> ModelsApi::answer(Request request, MlflowApi& mlflow) {
    const auto parts = split_path(request.path);
    if (!parts || parts->size() > kMaxParts) {
        co_return problem(404, "Not Found");
    }
    const Method method = request.method == Method::head ? Method::get : request.method;
    std::string allowed;
    bool is_literal_taken = false;
    for (const Route& route : kRoutes) {
        auto arguments = match(route, *parts);
        const bool is_shadowed = is_literal_taken && route.parts.at(1) == kAny && route.parts.at(0) == kAny;
        if (!arguments || is_shadowed) {
            continue;
        }
        if (route.method == method) {
            request.arguments = std::move(*arguments);
            Freshness freshness;
            WatchedApi watched(mlflow, freshness);
            Context context{deps_.worker, deps_.pool, deps_.run_facts, deps_.registrations, watched, freshness};
            http::Response response = co_await route.handler(context, request);
            if (freshness.is_copy && response.status < 300) {
                response.headers.emplace_back("X-Hokusai-Source", "replica");
                response.headers.emplace_back("Age", std::to_string(freshness.age));
            }
            co_return response;
        }
        is_literal_taken = is_literal_taken || route.parts.at(0) != kAny || route.parts.at(1) == "lineage";
        allowed += (allowed.empty() ? "" : ", ") + std::string(route.method_name);
    }
    if (allowed.empty()) {
        co_return no_such_path(*parts);
    }
    http::Response response = problem(405, "Method Not Allowed");
    response.headers.emplace_back("Allow", allowed);
    co_return response;
}

}  // namespace models
