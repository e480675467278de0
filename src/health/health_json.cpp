#include "health/health_json.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "health/json_text.hpp"
#include "health/legacy_json.hpp"
#include "health/mlflow_status.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

namespace health {

namespace {

using boost::json::object;

enum class Verdict { pass, warn, fail };

struct Component {
    std::string_view name;
    std::string_view type;
    std::span<const std::string_view> endpoints;  // that suffer when it does
};

constexpr std::array<std::string_view, 2> kStoreEndpoints{"/models", "/api/v1"};
constexpr std::array<std::string_view, 5> kMlflowEndpoints{
    "/mlflow", "/api/2.0/mlflow", "/api/3.0/mlflow", "/ajax-api", "/api/2.0/mlflow-artifacts"};
constexpr std::array<std::string_view, 1> kEventEndpoints{"/api/v1/events"};
constexpr std::array<std::string_view, 2> kAuthEndpoints{"/models", "/api/2.0/mlflow"};

constexpr std::array<Component, 6> kComponents{{
    {"postgres", "datastore", kStoreEndpoints},
    {"mlflow", "component", kMlflowEndpoints},
    {"redis", "datastore", kEventEndpoints},
    {"message_queue", "component", kEventEndpoints},
    {"auth", "component", kAuthEndpoints},
    {"discovery", "component", kMlflowEndpoints},
}};

std::string_view name_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::pass:
            return "pass";
        case Verdict::warn:
            return "warn";
        case Verdict::fail:
            break;
    }
    return "fail";
}

Verdict verdict_of(Status status) {
    switch (status) {
        case Status::disabled:
        case Status::healthy:
            return Verdict::pass;
        case Status::unknown:
        case Status::degraded:
        case Status::recovering:
            return Verdict::warn;
        case Status::unhealthy:
            break;
    }
    return Verdict::fail;
}

// Without a result yet, there is neither value nor time.
object observation(const View& view, const Component& component, Status status, const CheckFacts& check) {
    const Verdict verdict = verdict_of(status);
    object out{{"componentType", text(component.type)}, {"status", text(name_of(verdict))}};
    if (check.checked_at) {
        out["observedValue"] = to_milliseconds(check.last.latency);
        out["observedUnit"] = "ms";
        out["time"] = text(base::to_iso8601(view.wall_of(*check.checked_at)));
    }
    if (verdict != Verdict::pass) {
        boost::json::array endpoints;
        for (const std::string_view endpoint : component.endpoints) {
            endpoints.emplace_back(text(endpoint));
        }
        out["affectedEndpoints"] = std::move(endpoints);
    }
    return out;
}

void add_output(object& out, const std::string& trouble) {
    if (!trouble.empty()) {
        out["output"] = text(trouble);
    }
}

// One observation for each address.
boost::json::array mlflow_observations(const View& view, const Component& component) {
    boost::json::array out;
    for (const MlflowEndpoint& endpoint : view.snapshot.mlflow) {
        object item = observation(view, component, status_of(endpoint, view.now), endpoint.check);
        item["componentId"] = text(endpoint.url);
        item["circuitBreakerState"] = text(to_string(endpoint.breaker.state));
        add_output(item, endpoint_trouble(view, endpoint));
        out.emplace_back(std::move(item));
    }
    return out;
}

void add_component(const View& view, const NamedCheck& item, object& checks) {
    const auto component = std::ranges::find(kComponents, item.name, &Component::name);
    if (component == kComponents.end() || item.check == nullptr) {
        return;
    }
    const std::string key = fmt::format("{}:responseTime", item.name);
    if (item.name == "mlflow") {
        checks[key] = mlflow_observations(view, *component);
        return;
    }
    object out = observation(view, *component, item.status, *item.check);
    if (item.name == "postgres") {
        out["componentId"] = text(view.snapshot.store.engine);
    }
    add_output(out, trouble_of(*item.check, view.now));
    checks[key] = boost::json::array{std::move(out)};
}

http::Response answer_with(const View& view, Verdict verdict, object checks) {
    checks["uptime"] = boost::json::array{object{
        {"componentType", "system"},
        {"observedValue", view.seconds_since(view.identity.started_at)},
        {"observedUnit", "s"},
        {"status", "pass"},
        {"time", text(base::to_iso8601(view.wall_now))},
    }};
    return json_response(verdict == Verdict::fail ? 503 : 200,
                         {
                             {"status", text(name_of(verdict))},
                             {"version", "1"},
                             {"releaseId", text(view.identity.version)},
                             {"serviceId", "hokusai-registry"},
                             {"description", "Hokusai model registry"},
                             {"phase", text(to_string(view.phase))},
                             {"checks", std::move(checks)},
                         },
                         kHealthJson);
}

object all_components(const View& view) {
    object checks;
    for (const NamedCheck& item : all_checks(view.snapshot, view.now)) {
        add_component(view, item, checks);
    }
    return checks;
}

}  // namespace

http::Response health_json(const View& view) {
    return answer_with(view, verdict_of(aggregate(view.snapshot, view.now)), all_components(view));
}

http::Response readiness_json(const View& view) {
    const Readiness readiness = judge_readiness(view);
    const Verdict verdict = readiness.can_serve ? verdict_of(readiness.status) : Verdict::fail;
    return answer_with(view, verdict, all_components(view));
}

http::Response liveness_json(const View& view) {
    return answer_with(view, Verdict::pass, {});
}

http::Response startup_json(const View& view) {
    return answer_with(view, view.phase == Phase::starting ? Verdict::fail : Verdict::pass, {});
}

http::Response mlflow_health_json(const View& view) {
    object checks;
    Verdict verdict = Verdict::pass;
    for (const NamedCheck& item : all_checks(view.snapshot, view.now)) {
        if (item.name == "mlflow") {
            add_component(view, item, checks);
            verdict = item.status == Status::healthy || item.status == Status::disabled ? Verdict::pass : Verdict::warn;
        }
    }
    return answer_with(view, mlflow_state(view) == "OPEN" ? Verdict::fail : verdict, std::move(checks));
}

}  // namespace health
