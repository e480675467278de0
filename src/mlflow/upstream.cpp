#include "mlflow/upstream.hpp"

#include <utility>

#include "base/strings.hpp"

namespace mlflow {

namespace {

std::string authorization_of(const UpstreamSettings& settings) {
    if (!settings.token.is_empty()) {
        return "Bearer " + settings.token.reveal();
    }
    if (!settings.username.empty()) {
        return "Basic " + base::base64_encode(settings.username + ":" + settings.password.reveal());
    }
    return {};
}

RewriteRules rules_of(const UpstreamSettings& settings, const std::string& instance) {
    RewriteRules rules;
    rules.host = settings.host.empty() ? settings.url.authority : settings.host;
    rules.base_path = settings.url.base_path;
    rules.authorization = authorization_of(settings);
    rules.forwards_caller_authorization = settings.forwards_caller_authorization;
    rules.via_name = "hokusai-" + instance;
    return rules;
}

}  // namespace

Upstream::Upstream(UpstreamSettings upstream_settings,
                   const std::string& instance,
                   const net::NameResolver& name_resolver,
                   resilience::CircuitBreaker& circuit_breaker,
                   base::MonotonicTime now)
    : settings(std::move(upstream_settings)),
      rules(rules_of(settings, instance)),
      resolver(name_resolver),
      breaker(circuit_breaker),
      retry_budget({}, now),
      api_gate({settings.min_concurrency, settings.concurrency, settings.queue}),
      // How long a transfer takes depends on its size, so nothing is learnt from it.
      bulk_gate({settings.bulk_concurrency, settings.bulk_concurrency, settings.queue}),
      tls_(settings.url.is_tls ? std::make_unique<net::TlsClientContext>(settings.tls) : nullptr) {}

http::ClientPoolSettings Upstream::pool_settings() const {
    http::ClientPoolSettings pool;
    pool.connect_timeout = settings.connect_timeout;
    pool.max_idle = settings.max_idle;
    pool.max_idle_connections = settings.max_idle_connections;
    pool.limits = settings.limits;
    pool.tls = tls_.get();
    pool.host = settings.url.host;
    return pool;
}

}  // namespace mlflow
