// The settings of the service as each module wants them.
#pragma once

#include "apps/settings.hpp"
#include "base/clock.hpp"
#include "health/monitor.hpp"
#include "health/view.hpp"
#include "http/server_context.hpp"
#include "mlflow/upstream.hpp"
#include "net/name_resolver.hpp"
#include "registry_client/http_api.hpp"
#include "resilience/breaker_settings.hpp"

namespace apps {

// With no more connections than there are descriptors for, which is logged.
http::ServerSettings to_server_settings(const ServiceSettings& settings);
// `probe_deadline` is that of MLflow's probes, which are the breaker's trials.
resilience::CircuitBreakerSettings to_breaker_settings(const BreakerSettings& from, base::Duration probe_deadline);
mlflow::UpstreamSettings to_upstream_settings(const ServiceSettings& settings, const config::HttpUrl& url);
// For commands: the server at `url`, which takes the credentials of MLflow's settings.
registry_client::HttpApi::Settings to_registry_client_settings(const ServiceSettings& settings,
                                                               const config::HttpUrl& url);
net::NameResolver::Settings to_resolver_settings(const MlflowSettings& from);
health::MonitorSettings to_monitor_settings(const HealthSettings& from);
health::Identity to_identity(const ServiceSettings& settings, base::MonotonicTime started_at);

}  // namespace apps
