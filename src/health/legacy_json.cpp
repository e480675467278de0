#include "health/legacy_json.hpp"

#include <utility>

#include "health/json_text.hpp"
#include "health/mlflow_status.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

namespace health {

namespace {

using boost::json::object;

constexpr std::string_view kApiVersion = "v1";
constexpr std::string_view kServiceName = "hokusai-registry";
constexpr double kBytesPerMebibyte = 1024.0 * 1024.0;

boost::json::value timestamp(const View& view) {
    return text(base::to_naive_iso8601(view.wall_now));
}

// A breaker that recovers is `degraded` to clients that know three words.
std::string_view legacy_name(Status status) {
    return to_string(status == Status::recovering ? Status::degraded : status);
}

object system_info(const View& view) {
    const ProcessFacts& process = view.snapshot.process;
    return {{"cpu_percent", process.cpu_percent}, {"memory_percent", process.memory_percent}};
}

boost::json::value age_of(const View& view, const CheckFacts* check) {
    const auto age = check == nullptr ? std::nullopt : check->age(view.now);
    return age ? boost::json::value(std::chrono::duration<double>(*age).count()) : boost::json::value();
}

std::string trouble_of(const View& view, const NamedCheck& item) {
    if (item.name == "mlflow") {
        return mlflow_trouble(view);
    }
    return item.check == nullptr ? "" : trouble_of(*item.check, view.now);
}

object checks_of(const View& view, const std::vector<NamedCheck>& checks) {
    object out;
    for (const NamedCheck& item : checks) {
        out[item.name] = {
            {"status", text(to_string(item.status))},
            {"age_seconds", age_of(view, item.check)},
            {"stale", item.check != nullptr && item.check->is_stale(view.now)},
            {"busy", item.check != nullptr && item.check->last.is_busy()},
            {"error", text_or_null(trouble_of(view, item))},
        };
    }
    return out;
}

// `external_api` is the old name of the external auth service.
object services_of(const std::vector<NamedCheck>& checks) {
    object out;
    for (const NamedCheck& item : checks) {
        out[item.name] = text(to_string(item.status));
    }
    boost::json::value auth = out.at("auth");  // a copy: a new key moves the old ones
    out["external_api"] = std::move(auth);
    return out;
}

object connection_details(const View& view) {
    return {
        {"primary_db", text(view.snapshot.store.database)},
        {"fallback_db", nullptr},
        {"timeout", std::chrono::duration<double>(view.identity.probe_deadline).count()},
        {"max_retries", 0},
    };
}

void add_error(object& services, std::string_view key, const std::string& error) {
    if (!error.empty()) {
        services[key] = text(error);
    }
}

void add_service_details(const View& view, const std::vector<NamedCheck>& checks, object& services) {
    for (const NamedCheck& item : checks) {
        add_error(services, fmt::format("{}_error", item.name), trouble_of(view, item));
    }
    object mlflow = mlflow_status_object(view);
    if (const std::string_view reason = degradation_reason(view); !reason.empty()) {
        mlflow["degradation_reason"] = text(reason);
    }
    services["mlflow_details"] = std::move(mlflow);
    services["postgres_details"] = connection_details(view);
    const boost::json::value queue_status = services.at("message_queue");
    services["message_queue_details"] = {
        {"status", queue_status},
        {"response_time_ms", to_milliseconds(view.snapshot.message_queue.last.latency)},
    };
}

// The additions every overview carries.
void add_overview(const View& view, const std::vector<NamedCheck>& checks, object& body) {
    body["phase"] = text(to_string(view.phase));
    body["store_engine"] = text(view.snapshot.store.engine);
    body["checks"] = checks_of(view, checks);
}

object ready_item(const View& view, const NamedCheck& item) {
    const bool passed =
        item.status == Status::healthy || item.status == Status::recovering || item.status == Status::disabled;
    const bool is_store = item.name == "postgres";
    object out{
        {"name", text(is_store ? "database" : item.name)},
        {"passed", passed},
        {"error", passed ? boost::json::value() : text_or_null(trouble_of(view, item))},
        {"critical", is_store},
        {"status", text(to_string(item.status))},
        {"age_seconds", age_of(view, item.check)},
        {"stale", item.check != nullptr && item.check->is_stale(view.now)},
    };
    if (is_store) {
        out["connection_details"] = passed ? boost::json::value() : boost::json::value(connection_details(view));
    }
    return out;
}

object ready_mlflow_item(const View& view, const NamedCheck& item) {
    object out = ready_item(view, item);
    const std::string_view state = mlflow_state(view);
    if (state == "OPEN") {
        out["error"] = "Circuit breaker open - MLflow temporarily unavailable";
        out["degraded_mode"] = true;
    }
    if (item.status == Status::recovering) {
        out["recovering"] = true;
    }
    if (view.snapshot.discovery.is_configured) {
        out["dns_status"] = text(to_string(status_of(view.snapshot.discovery, view.now)));
    }
    return out;
}

boost::json::array ready_items(const View& view) {
    boost::json::array items;
    for (const NamedCheck& item : all_checks(view.snapshot, view.now)) {
        if (item.name == "mlflow") {
            items.emplace_back(ready_mlflow_item(view, item));
        } else if (item.check != nullptr) {
            items.emplace_back(ready_item(view, item));
        }
    }
    return items;
}

}  // namespace

Readiness judge_readiness(const View& view) {
    const Status status = aggregate(view.snapshot, view.now);
    const bool can_serve = view.phase == Phase::serving && status != Status::unhealthy;
    const bool is_ready = can_serve && status == Status::healthy;
    return {
        .status = status,
        .is_ready = is_ready,
        .can_serve = can_serve,
        .is_degraded = can_serve && !is_ready,
        .is_recovering = can_serve && status == Status::recovering,
    };
}

http::Response service_health(const View& view, bool is_detailed) {
    const std::vector<NamedCheck> checks = all_checks(view.snapshot, view.now);
    object services = services_of(checks);
    if (is_detailed) {
        add_service_details(view, checks, services);
    }
    object body{
        {"status", text(legacy_name(aggregate(view.snapshot, view.now)))},
        {"version", text(view.identity.version)},
        {"services", std::move(services)},
        {"timestamp", timestamp(view)},
        {"system_info", is_detailed ? boost::json::value(system_info(view)) : boost::json::value()},
    };
    add_overview(view, checks, body);
    return json_response(200, body);
}

http::Response service_status(const View& view) {
    const std::vector<NamedCheck> checks = all_checks(view.snapshot, view.now);
    object services = services_of(checks);
    add_service_details(view, checks, services);
    object body{
        {"timestamp", timestamp(view)},
        {"api_version", text(view.identity.version)},
        {"service_name", text(kServiceName)},
        {"overall_health", text(legacy_name(aggregate(view.snapshot, view.now)))},
        {"services", std::move(services)},
        {"mlflow", {{"status", mlflow_status_object(view)}, {"circuit_breaker", breaker_object(view)}}},
        {"system_info", system_info(view)},
        {"uptime_seconds", view.seconds_since(view.identity.started_at)},
        {"environment", text(view.identity.environment)},
    };
    add_overview(view, checks, body);
    return json_response(200, body);
}

http::Response balancer_health(const View& view) {
    return json_response(200, {{"status", "healthy"}, {"timestamp", timestamp(view)}});
}

http::Response readiness(const View& view) {
    const Readiness now = judge_readiness(view);
    return json_response(now.can_serve ? 200 : 503,
                         {
                             {"ready", now.is_ready},
                             {"can_serve_traffic", now.can_serve},
                             {"checks", ready_items(view)},
                             {"degraded_mode", now.is_degraded},
                             {"recovering", now.is_recovering},
                             {"phase", text(to_string(view.phase))},
                             {"store_engine", text(view.snapshot.store.engine)},
                         });
}

http::Response liveness(const View& view) {
    return json_response(200,
                         {
                             {"alive", true},
                             {"uptime", view.seconds_since(view.identity.started_at)},
                             {"memory_usage_mb", view.snapshot.process.resident_bytes / kBytesPerMebibyte},
                             {"phase", text(to_string(view.phase))},
                         });
}

http::Response strict_liveness(const View& view) {
    return json_response(200, {{"alive", true}, {"phase", text(to_string(view.phase))}});
}

http::Response strict_readiness(const View& view) {
    const bool can_serve = judge_readiness(view).can_serve;
    return json_response(can_serve ? 200 : 503, {{"ready", can_serve}, {"phase", text(to_string(view.phase))}});
}

http::Response strict_startup(const View& view) {
    const bool has_started = view.phase != Phase::starting;
    return json_response(has_started ? 200 : 503, {{"started", has_started}, {"phase", text(to_string(view.phase))}});
}

http::Response version(const View& view) {
    return json_response(200,
                         {
                             {"version", text(view.identity.version)},
                             {"build_date", text(view.identity.build_date)},
                             {"git_commit", text(view.identity.git_commit)},
                             {"api_version", text(kApiVersion)},
                         });
}

}  // namespace health
