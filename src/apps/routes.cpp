#include "apps/routes.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <utility>

#include "apps/api_document.hpp"
#include "apps/status_page.hpp"
#include "mlflow/routes.hpp"
#include "models/models_api.hpp"
#include "registry_http/alias_history_answer.hpp"
#include "telemetry/log.hpp"

namespace apps {

namespace {

using http::Exchange;
using http::Method;
using http::Response;

constexpr auto kAuditLimit = std::chrono::seconds(2);

constexpr std::array<std::string_view, 10> kMlflowPrefixes{"/mlflow",
                                                           "/api/mlflow",
                                                           "/api/2.0/mlflow",
                                                           "/api/3.0/mlflow",
                                                           "/api/2.0/mlflow-artifacts",
                                                           "/ajax-api",
                                                           "/v1/traces",
                                                           "/graphql",
                                                           "/get-artifact",
                                                           "/model-versions/get-artifact"};

std::string_view admin_scope(const http::RequestHead& /*request*/) {
    return "admin";
}

void add_health_routes(std::vector<http::Route>& routes, const RouteDeps& deps) {
    for (const health::EndpointPath& entry : health::endpoint_paths()) {
        http::Route route;
        route.path = entry.path;
        route.name = "health";
        route.is_health = true;
        route.methods = {Method::get};
        route.answer = [deps, endpoint = entry.endpoint](Exchange& exchange) {
            const net::Worker& worker = exchange.context().worker;
            exchange.answer(deps.health.respond(endpoint,
                                                exchange.request(),
                                                deps.phase.load(std::memory_order_acquire),
                                                worker.now(),
                                                worker.clock().wall_now()));
        };
        routes.push_back(std::move(route));
    }
}

// The reset is refused when it can't be audited: what an administrator does must leave its trace.
base::Task<> reset_breaker(RouteDeps deps, Exchange& exchange) {
    net::Worker& worker = exchange.context().worker;
    const base::WallTime wall_now = worker.clock().wall_now();
    if (deps.breaker == nullptr) {
        exchange.answer(http::detail_response(409, "Reset failed: no MLflow server is configured"));
        co_return;
    }
    auth::AuditEntry entry;
    entry.at = wall_now;
    entry.actor = exchange.caller.key_id.empty() ? "anonymous" : std::string(exchange.caller.key_id);
    entry.action = "breaker.reset";
    entry.target = deps.breaker->name();
    entry.detail = "by HTTP, request " + std::string(exchange.request_id());
    const base::Result<void> audited =
        co_await deps.pool.run(worker, kAuditLimit, [&log = deps.audit_log, entry] { return log.append(entry); });
    if (!audited) {
        exchange.answer(health::reset_failed("the audit log cannot be written: " + audited.error().message));
        co_return;
    }
    deps.breaker->reset(worker.now());
    deps.monitor.refresh(worker.now());
    telemetry::log_info("breaker_reset", {{"breaker", entry.target}, {"by", entry.actor}});
    exchange.answer(health::reset_done(wall_now));
}

void add_operator_routes(std::vector<http::Route>& routes, const RouteDeps& deps) {
    http::Route metrics;
    metrics.path = "/metrics";
    metrics.name = "metrics";
    metrics.is_health = true;
    metrics.methods = {Method::get};
    metrics.answer = [deps](Exchange& exchange) {
        Response response;
        response.content_type = "text/plain; version=0.0.4; charset=utf-8";
        response.body = deps.metrics.render();
        exchange.answer(response);
    };
    routes.push_back(std::move(metrics));

    http::Route reset;
    reset.path = "/health/mlflow/reset";
    reset.name = "operator";
    reset.methods = {Method::post};
    reset.scope = admin_scope;
    reset.handle = [deps](Exchange& exchange) { return reset_breaker(deps, exchange); };
    routes.push_back(std::move(reset));

    http::Route root;
    root.path = "/";
    root.name = "root";
    root.methods = {Method::get};
    root.answer = [](Exchange& exchange) { exchange.answer(root_response(exchange.request())); };
    routes.push_back(std::move(root));
}

std::string_view read_scope(const http::RequestHead& /*request*/) {
    return "mlflow:read";
}

base::Task<> answer_history(RegistryPast* past, Exchange& exchange) {
    if (past == nullptr) {
        exchange.answer(http::detail_response(
            501, "nothing is kept of MLflow's aliases here, because there is no replica: see HOKUSAI_REPLICA"));
        co_return;
    }
    co_await past->answer(exchange);
}

void add_registry_routes(std::vector<http::Route>& routes, const RouteDeps& deps) {
    http::Route history;
    history.path = registry_http::kAliasHistoryPath;
    history.name = "registry";
    history.methods = {Method::get};
    history.scope = read_scope;
    history.handle = [past = deps.past](Exchange& exchange) { return answer_history(past, exchange); };
    routes.push_back(std::move(history));
}

void add_mlflow_routes(std::vector<http::Route>& routes, const RouteDeps& deps) {
    for (const std::string_view prefix : kMlflowPrefixes) {
        http::Route route;
        route.path = prefix;
        route.is_prefix = true;
        route.name = "mlflow";
        route.scope = mlflow::required_scope;
        route.try_answer = deps.try_mlflow;
        route.handle = deps.handle_mlflow;
        routes.push_back(std::move(route));
    }
}

void add_model_routes(std::vector<http::Route>& routes, const RouteDeps& deps) {
    for (const std::string_view prefix : models::kPrefixes) {
        http::Route route;
        route.path = prefix;
        route.is_prefix = true;
        route.name = "models";
        route.scope = models::required_scope;
        route.handle = deps.handle_models;
        routes.push_back(std::move(route));
    }
}

}  // namespace

std::vector<http::Route> make_routes(const RouteDeps& deps) {
    std::vector<http::Route> routes;
    add_health_routes(routes, deps);
    add_operator_routes(routes, deps);
    add_registry_routes(routes, deps);
    add_model_routes(routes, deps);
    std::ranges::move(api_document_routes(), std::back_inserter(routes));
    add_mlflow_routes(routes, deps);
    return routes;
}

}  // namespace apps
