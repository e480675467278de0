// MLflow as all workers share it: address, credentials, limits, breaker, and what its answers have told so far.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "http/client_pool.hpp"
#include "mlflow/admission_gate.hpp"
#include "mlflow/rewrite.hpp"
#include "net/name_resolver.hpp"
#include "net/tls.hpp"
#include "resilience/circuit_breaker.hpp"
#include "resilience/retry_budget.hpp"

namespace mlflow {

struct UpstreamUrl {
    bool is_tls = false;
    std::string host;  // a name or an address, without brackets
    std::uint16_t port = 80;
    std::string authority;  // as a Host field has it
    std::string base_path;  // without a slash at its end; empty for none
};

struct UpstreamSettings {
    UpstreamUrl url;
    std::string host;      // Host field; empty: the URL's authority
    base::Secret token;    // bearer; or
    std::string username;  // basic
    base::Secret password;
    bool forwards_caller_authorization = false;
    bool serves_artifacts = true;
    net::TlsClientSettings tls;
    base::Duration connect_timeout = std::chrono::seconds(2);
    base::Duration read_timeout = std::chrono::seconds(60);  // from the last request byte to the answer's head
    base::Duration write_timeout = std::chrono::seconds(110);
    base::Duration body_idle_timeout = std::chrono::seconds(60);
    base::Duration max_idle = std::chrono::seconds(3);
    base::Duration max_queue_time = std::chrono::seconds(30);
    std::size_t max_idle_connections = 64;
    std::size_t concurrency = 32;
    std::size_t min_concurrency = 4;    // the limit adapts between the two
    std::size_t bulk_concurrency = 16;  // artifacts and large bodies, so that slow transfers leave the API alone
    std::size_t queue = 256;
    http::ParserLimits limits;
};

// Safe from any thread; outlives workers' gateways.
class Upstream {
public:
    // `instance` names us in Via. The resolver and the breaker outlive it. Throws base::ConfigError for unusable TLS
    // files.
    Upstream(UpstreamSettings settings,
             const std::string& instance,
             const net::NameResolver& resolver,
             resilience::CircuitBreaker& breaker,
             base::MonotonicTime now);

    [[nodiscard]] http::ClientPoolSettings pool_settings() const;

    // The breaker has opened: calls that wait for a place are refused now instead of after their patience.
    void turn_away_waiting() {
        api_gate.turn_away_waiting();
        bulk_gate.turn_away_waiting();
    }

    // Any answer of MLflow to traffic, whatever its status.
    void note_answer(base::MonotonicTime now) {
        last_answer_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    }

    [[nodiscard]] base::MonotonicTime last_answer() const {
        return base::MonotonicTime(base::Duration(last_answer_.load(std::memory_order_relaxed)));
    }

    const UpstreamSettings settings;
    const RewriteRules rules;
    const net::NameResolver& resolver;
    resilience::CircuitBreaker& breaker;
    resilience::RetryBudget retry_budget;
    AdmissionGate api_gate;
    AdmissionGate bulk_gate;

private:
    std::unique_ptr<net::TlsClientContext> tls_;
    std::atomic<base::Duration::rep> last_answer_{0};
};

}  // namespace mlflow
