// Which code answers which path, who may call it, and how it is counted.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/exchange.hpp"
#include "http/message.hpp"
#include "http/server_context.hpp"
#include "telemetry/metrics.hpp"

namespace http {

struct Route {
    using Answer = std::function<void(Exchange&)>;
    using TryAnswer = std::function<bool(Exchange&)>;
    using Handle = std::function<base::Task<>(Exchange&)>;
    // The scope a request needs ("mlflow:read", "admin" ...).
    using Scope = std::function<std::string_view(const RequestHead&)>;

    std::string path;  // matched whole; with is_prefix: the path itself and everything below its next '/'
    bool is_prefix = false;
    std::vector<Method> methods;  // empty: all. GET includes HEAD
    std::string_view name;        // label in metrics; static storage, few values
    Scope scope;                  // empty: no key needed
    bool is_health = false;       // may use the places reserved for health
    Answer answer;                // answers at once; or
    TryAnswer try_answer;         // may answer at once: false, and nothing done, when `handle` has to; optional
    Handle handle;                // answers what waits, and everything `try_answer` could not be asked about
};

// Decides about a request that needs a key. One per worker.
class AccessControl {
public:
    virtual ~AccessControl() = default;

    // Whether it is known at once that the caller may go on; then exchange.caller is set. Otherwise ask authorize().
    virtual bool try_authorize(Exchange& exchange, std::string_view scope) = 0;

    // Nothing when the caller may go on, and then exchange.caller is set; otherwise the refusal.
    virtual base::Task<std::optional<Response>> authorize(Exchange& exchange, std::string_view scope) = 0;
};

struct RouteMetrics {
    std::vector<telemetry::Counter*> by_status_class;  // 1xx to 5xx
    telemetry::Histogram* latency = nullptr;
};

struct RouteEntry {
    Route route;
    RouteMetrics* metrics = nullptr;
};

// One per worker, built at start and unchanged afterwards. Also answers CORS preflights and checks the Origin of what
// changes state.
class Router final : public RequestHandler {
public:
    struct Deps {
        AccessControl& access;
        telemetry::Metrics& metrics;
        std::vector<std::string> cors_origins;
    };

    Router(Deps deps, std::vector<Route> routes);

    bool try_answer(Exchange& exchange) override;
    base::Task<> handle(Exchange& exchange) override;
    [[nodiscard]] bool is_health(const RequestHead& request) const override;
    void finished(const Exchange& exchange, base::Duration elapsed) override;

private:
    struct Match {
        const RouteEntry* entry = nullptr;
        std::string allow;  // when only the method does not fit
    };

    [[nodiscard]] Match match(const RequestHead& request) const;
    [[nodiscard]] std::optional<Response> check_origin(Exchange& exchange) const;
    RouteMetrics& metrics_of(std::string_view name);

    Deps deps_;
    std::vector<RouteEntry> entries_;  // longest path first
    std::map<std::string, std::vector<const RouteEntry*>, std::less<>> exact_;
    std::vector<const RouteEntry*> prefixes_;
    std::map<std::string, RouteMetrics, std::less<>> metrics_;
};

}  // namespace http
