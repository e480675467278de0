#include "http/router.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/strings.hpp"
#include "http/origin.hpp"

namespace http {

namespace {

constexpr std::string_view kUnmatched = "unmatched";

bool accepts(const Route& route, Method method) {
    const auto has = [&route](Method wanted) {
        return std::find(route.methods.begin(), route.methods.end(), wanted) != route.methods.end();
    };
    return route.methods.empty() || has(method) || (method == Method::head && has(Method::get));
}

std::string allowed_methods(const Route& route) {
    static constexpr std::array<std::string_view, 7> kNames{
        "GET, HEAD", "", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    std::string list;
    for (const Method method : route.methods) {
        const std::string_view name = kNames.at(static_cast<std::size_t>(method));
        list += (list.empty() || name.empty() ? "" : ", ") + std::string(name);
    }
    return list;
}

// CONNECT asks for a tunnel, whose answers have no framing; TRACE for an echo of the fields, with the upstream's own
// credential among them.
bool is_never_answered(std::string_view method) {
    return method == "CONNECT" || method == "TRACE";
}

bool is_below(std::string_view path, std::string_view prefix) {
    return path.starts_with(prefix) &&
           (path.size() == prefix.size() || prefix.ends_with('/') || path[prefix.size()] == '/');
}

}  // namespace

Router::Router(Deps deps, std::vector<Route> routes) : deps_(std::move(deps)) {
    std::sort(routes.begin(), routes.end(), [](const Route& left, const Route& right) {
        return left.path.size() > right.path.size();
    });
    entries_.reserve(routes.size());
    for (Route& route : routes) {
        RouteMetrics& metrics = metrics_of(route.name);
        const RouteEntry& entry = entries_.emplace_back(RouteEntry{std::move(route), &metrics});
        if (entry.route.is_prefix) {
            prefixes_.push_back(&entry);
        } else {
            exact_[entry.route.path].push_back(&entry);
        }
    }
    metrics_of(kUnmatched);
}

RouteMetrics& Router::metrics_of(std::string_view name) {
    const auto [found, is_new] = metrics_.try_emplace(std::string(name));
    if (is_new) {
        const std::string route(name);
        for (const char* status : {"1xx", "2xx", "3xx", "4xx", "5xx"}) {
            found->second.by_status_class.push_back(
                &deps_.metrics.counter("hokusai_http_requests_total",
                                       "Requests answered, by route and status class.",
                                       {{"route", route}, {"status", status}}));
        }
        found->second.latency = &deps_.metrics.histogram("hokusai_http_request_duration_seconds",
                                                         "Time from the request's head to the last byte of the answer.",
                                                         {{"route", route}});
    }
    return found->second;
}

Router::Match Router::match(const RequestHead& request) const {
    Match result;
    const auto consider = [&](const RouteEntry* entry) {
        if (accepts(entry->route, request.method)) {
            result.entry = entry;
            return true;
        }
        const std::string methods = allowed_methods(entry->route);
        result.allow += (result.allow.empty() ? "" : ", ") + methods;
        return false;
    };
    const auto exact = exact_.find(request.path);
    if (exact != exact_.end() && std::any_of(exact->second.begin(), exact->second.end(), consider)) {
        return result;
    }
    if (exact == exact_.end()) {
        const auto prefix = std::find_if(prefixes_.begin(), prefixes_.end(), [&](const RouteEntry* entry) {
            return is_below(request.path, entry->route.path);
        });
        if (prefix != prefixes_.end()) {
            consider(*prefix);
        }
    }
    return result;
}

bool Router::is_health(const RequestHead& request) const {
    const Match found = match(request);
    return found.entry != nullptr && found.entry->route.is_health;
}

std::optional<Response> Router::check_origin(Exchange& exchange) const {
    const RequestHead& request = exchange.request();
    const auto origin = request.fields.find(FieldName::origin);
    if (!origin) {
        return std::nullopt;
    }
    const OriginVerdict verdict =
        judge_origin(*origin, request.fields.find(FieldName::host).value_or(""), deps_.cors_origins);
    if (request.method == Method::options && request.fields.find("access-control-request-method")) {
        return preflight_response(*origin, verdict);
    }
    if (verdict == OriginVerdict::listed) {
        exchange.allowed_origin = *origin;
    }
    const bool is_safe =
        request.method == Method::get || request.method == Method::head || request.method == Method::options;
    if (!is_safe && verdict == OriginVerdict::foreign) {
        return detail_response(403,
                               "requests from origin " + std::string(*origin) +
                                   " may not change anything here; add it to CORS_ORIGINS to allow it");
    }
    return std::nullopt;
}

bool Router::try_answer(Exchange& exchange) {
    if (const std::optional<Response> refusal = check_origin(exchange)) {
        exchange.answer(*refusal);
        return true;
    }
    if (is_never_answered(exchange.request().method_text)) {
        Response response = detail_response(405, "Method Not Allowed");
        response.headers.emplace_back("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        exchange.answer(response);
        return true;
    }
    const Match found = match(exchange.request());
    exchange.route = found.entry;
    if (found.entry == nullptr) {
        Response response =
            found.allow.empty() ? detail_response(404, "Not Found") : detail_response(405, "Method Not Allowed");
        if (!found.allow.empty()) {
            response.headers.emplace_back("Allow", found.allow);
        }
        exchange.answer(response);
        return true;
    }
    const Route& route = found.entry->route;
    exchange.is_authorized = !route.scope || deps_.access.try_authorize(exchange, route.scope(exchange.request()));
    if (!exchange.is_authorized) {
        return false;
    }
    if (route.answer) {
        route.answer(exchange);
        return true;
    }
    return route.try_answer && route.try_answer(exchange);
}

base::Task<> Router::handle(Exchange& exchange) {
    const RouteEntry& entry = *exchange.route;
    if (!exchange.is_authorized) {
        const std::string_view scope = entry.route.scope(exchange.request());
        const std::optional<Response> refusal = co_await deps_.access.authorize(exchange, scope);
        if (refusal) {
            exchange.answer(*refusal);
            co_return;
        }
    }
    if (entry.route.answer) {
        entry.route.answer(exchange);
    } else {
        co_await entry.route.handle(exchange);
    }
}

void Router::finished(const Exchange& exchange, base::Duration elapsed) {
    const RouteMetrics& metrics =
        exchange.route != nullptr ? *exchange.route->metrics : metrics_.find(kUnmatched)->second;
    const unsigned status_class = exchange.answered_status() / 100;
    if (status_class >= 1 && status_class <= 5) {
        metrics.by_status_class[status_class - 1]->add();
    }
    metrics.latency->observe(std::chrono::duration<double>(elapsed).count());
}

}  // namespace http
