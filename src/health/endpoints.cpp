#include "health/endpoints.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "base/strings.hpp"
#include "health/health_json.hpp"
#include "health/json_text.hpp"
#include "health/legacy_json.hpp"
#include "health/mlflow_checks.hpp"
#include "health/mlflow_status.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

namespace health {

namespace {

constexpr std::string_view kDetailed = "detailed";

constexpr std::array<EndpointPath, 18> kPaths{{
    {"/health", Endpoint::health},
    {"/health/alb", Endpoint::alb},
    {"/health/mlflow", Endpoint::mlflow},
    {"/health/status", Endpoint::status},
    {"/ready", Endpoint::ready},
    {"/live", Endpoint::live},
    {"/livez", Endpoint::livez},
    {"/readyz", Endpoint::readyz},
    {"/startupz", Endpoint::startupz},
    {"/version", Endpoint::version},
    {"/api/health", Endpoint::health},
    {"/api/health/mlflow", Endpoint::mlflow_checks},
    {"/api/health/mlflow/detailed", Endpoint::mlflow_tests},
    {"/api/health/mlflow/connectivity", Endpoint::mlflow_connectivity},
    {"/mlflow/health/mlflow", Endpoint::gateway_checks},
    {"/mlflow/health/mlflow/detailed", Endpoint::gateway_tests},
    {"/api/mlflow/health/mlflow", Endpoint::gateway_checks},
    {"/api/mlflow/health/mlflow/detailed", Endpoint::gateway_tests},
}};

// The last `detailed` of the query; nothing when there is none.
std::optional<std::string_view> find_detailed(std::string_view query) {
    std::optional<std::string_view> found;
    for (const std::string_view pair : base::split_list(query, '&')) {
        const std::size_t equals = pair.find('=');
        if (pair.substr(0, equals) == kDetailed) {
            found = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
        }
    }
    return found;
}

bool is_one_of(std::string_view value, std::initializer_list<std::string_view> words) {
    return std::ranges::any_of(words, [value](std::string_view word) { return base::iequals(value, word); });
}

http::Response not_a_boolean(std::string_view input) {
    boost::json::object item{
        {"type", "bool_parsing"},
        {"loc", boost::json::array{"query", text(kDetailed)}},
        {"msg", "Input should be a valid boolean, unable to interpret input"},
        {"input", text(input)},
    };
    return json_response(422, {{"detail", boost::json::array{std::move(item)}}});
}

http::Response method_not_allowed() {
    http::Response response = json_response(405, {{"detail", "Method Not Allowed"}});
    response.headers.emplace_back("Allow", "GET, HEAD");
    return response;
}

http::Response overall_health(const View& view, std::string_view query) {
    const std::optional<bool> is_detailed = parse_detailed(query);
    return is_detailed ? service_health(view, *is_detailed) : not_a_boolean(find_detailed(query).value_or(""));
}

http::Response legacy_answer(Endpoint endpoint, const View& view, std::string_view query) {
    switch (endpoint) {
        case Endpoint::health:
            return overall_health(view, query);
        case Endpoint::alb:
            return balancer_health(view);
        case Endpoint::mlflow:
            return mlflow_health(view);
        case Endpoint::status:
            return service_status(view);
        case Endpoint::ready:
            return readiness(view);
        case Endpoint::live:
            return liveness(view);
        case Endpoint::livez:
            return strict_liveness(view);
        case Endpoint::readyz:
            return strict_readiness(view);
        case Endpoint::startupz:
            return strict_startup(view);
        case Endpoint::version:
            return version(view);
        case Endpoint::mlflow_checks:
            return mlflow_checks(view);
        case Endpoint::mlflow_tests:
            return mlflow_tests(view, false);
        case Endpoint::mlflow_connectivity:
            return mlflow_connectivity(view);
        case Endpoint::gateway_checks:
            return mlflow_checks_of_gateway(view);
        case Endpoint::gateway_tests:
            return mlflow_tests(view, true);
    }
    return json_response(404, {{"detail", "Not Found"}});
}

// Nothing for endpoints that are no health check of the draft's kind.
std::optional<http::Response> health_json_answer(Endpoint endpoint, const View& view) {
    switch (endpoint) {
        case Endpoint::health:
        case Endpoint::status:
            return health_json(view);
        case Endpoint::ready:
        case Endpoint::readyz:
            return readiness_json(view);
        case Endpoint::alb:
        case Endpoint::live:
        case Endpoint::livez:
            return liveness_json(view);
        case Endpoint::startupz:
            return startup_json(view);
        case Endpoint::mlflow:
            return mlflow_health_json(view);
        default:
            return std::nullopt;
    }
}

}  // namespace

std::span<const EndpointPath> endpoint_paths() {
    return kPaths;
}

std::optional<bool> parse_detailed(std::string_view query) {
    const std::optional<std::string_view> value = find_detailed(query);
    if (!value || is_one_of(*value, {"false", "0", "no", "off", "f", "n"})) {
        return false;
    }
    if (is_one_of(*value, {"true", "1", "yes", "on", "t", "y"})) {
        return true;
    }
    return std::nullopt;
}

bool wants_health_json(const http::Fields& fields) {
    return fields.lists(http::FieldName::accept, kHealthJson);
}

http::Response answer(Endpoint endpoint, const View& view, const http::RequestHead& request) {
    if (request.method != http::Method::get && request.method != http::Method::head) {
        return method_not_allowed();
    }
    if (wants_health_json(request.fields)) {
        if (auto response = health_json_answer(endpoint, view)) {
            return *std::move(response);
        }
    }
    return legacy_answer(endpoint, view, request.query);
}

http::Response reset_done(base::WallTime wall_now) {
    return json_response(200,
                         {
                             {"message", "Circuit breaker reset successfully"},
                             {"timestamp", text(base::to_naive_iso8601(wall_now))},
                             {"reset_by", "manual_api_call"},
                         });
}

http::Response reset_failed(std::string_view why) {
    return json_response(500, {{"detail", text(fmt::format("Reset failed: {}", why))}});
}

}  // namespace health
