#include "apps/module_settings.hpp"

#include <algorithm>
#include <string>
#include <sys/resource.h>

#include "apps/build_info.hpp"
#include "telemetry/log.hpp"

namespace apps {

namespace {

// Store, logs, listener, event loops, probes.
constexpr std::size_t kOwnDescriptors = 64;

// Connections that would find no descriptor are better not promised: accept() and calls to MLflow would fail instead.
std::size_t affordable_connections(const ServiceSettings& settings) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return settings.server.max_connections;
    }
    const MlflowSettings& mlflow = settings.mlflow;
    const std::size_t upstream = mlflow.urls.empty() ? 0 : mlflow.concurrency + mlflow.artifact_concurrency;
    const std::size_t others = kOwnDescriptors + upstream + settings.server.health_reserved_connections;
    const std::size_t affordable = std::max<std::size_t>(limit.rlim_cur, others + 16) - others;
    if (affordable < settings.server.max_connections) {
        telemetry::log_warn("fewer_connections",
                            {{"server.max_connections", settings.server.max_connections},
                             {"possible", affordable},
                             {"remedy", "raise the limit of open files (ulimit -n, LimitNOFILE)"}});
    }
    return std::min<std::size_t>(settings.server.max_connections, affordable);
}

}  // namespace

http::ServerSettings to_server_settings(const ServiceSettings& settings) {
    const ServerSettings& from = settings.server;
    http::ServerSettings to;
    to.max_connections = affordable_connections(settings);
    to.reserved_connections = from.health_reserved_connections;
    to.limits.max_head_bytes = from.max_header_bytes;
    to.header_timeout = from.header_timeout;
    to.body_idle_timeout = from.body_idle_timeout;
    to.idle_timeout = from.idle_timeout;
    return to;
}

resilience::CircuitBreakerSettings to_breaker_settings(const BreakerSettings& from, base::Duration probe_deadline) {
    resilience::CircuitBreakerSettings to;
    to.enabled = from.is_enabled;
    to.failure_threshold = from.failure_threshold;
    to.recovery_timeout = from.recovery_timeout;
    to.max_recovery_attempts = from.max_recovery_attempts;
    to.early_trial = from.early_trial;
    to.probe_deadline = 2 * probe_deadline;
    to.probes_only_in_half_open = true;  // the monitor probes MLflow and makes the trials
    return to;
}

mlflow::UpstreamSettings to_upstream_settings(const ServiceSettings& settings, const config::HttpUrl& url) {
    const MlflowSettings& from = settings.mlflow;
    mlflow::UpstreamSettings to;
    const std::string text = config::to_text(url);
    const std::string authority = text.substr(text.find("://") + 3);
    to.url = {url.is_tls, url.host, url.port, authority.substr(0, authority.find('/')), url.base_path};
    to.host = from.host;
    to.token = from.token;
    to.username = from.username;
    to.password = from.password;
    to.forwards_caller_authorization = from.forward_auth;
    to.serves_artifacts = from.serve_artifacts;
    to.tls = {from.ca_file, from.cert_file, from.key_file};
    to.connect_timeout = from.connect_timeout;
    to.read_timeout = from.read_timeout;
    to.write_timeout = from.write_timeout;
    to.body_idle_timeout = settings.server.body_idle_timeout;
    to.max_idle = from.idle_timeout;
    to.max_idle_connections = from.max_idle_connections;
    to.concurrency = from.concurrency;
    to.min_concurrency = from.min_concurrency;
    to.bulk_concurrency = from.artifact_concurrency;
    to.queue = from.queue;
    to.limits.max_head_bytes = settings.server.max_header_bytes;
    return to;
}

registry_client::HttpApi::Settings to_registry_client_settings(const ServiceSettings& settings,
                                                               const config::HttpUrl& url) {
    return {.url = config::to_text(url),
            .upstream = to_upstream_settings(settings, url),
            .resolver = to_resolver_settings(settings.mlflow)};
}

net::NameResolver::Settings to_resolver_settings(const MlflowSettings& from) {
    net::NameResolver::Settings to;
    for (const std::string& address : from.fallback_addresses) {
        to.fallback.push_back(boost::asio::ip::make_address(address));
    }
    return to;
}

health::MonitorSettings to_monitor_settings(const HealthSettings& from) {
    health::MonitorSettings to;
    to.check = {from.interval, from.fast_interval, from.deadline, from.down_after, from.up_after};
    to.detail_interval = from.details_interval;
    return to;
}

health::Identity to_identity(const ServiceSettings& settings, base::MonotonicTime started_at) {
    health::Identity identity;
    identity.version = kVersion;
    identity.git_commit = kGitCommit;
    identity.build_date = kBuildDate;
    identity.environment = settings.environment;
    identity.started_at = started_at;
    identity.probe_deadline = settings.health.deadline;
    identity.serves_artifacts = settings.mlflow.serve_artifacts;
    return identity;
}

}  // namespace apps
