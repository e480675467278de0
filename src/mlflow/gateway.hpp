// The gateway of one worker: hands requests on to MLflow and its answers back, within the limits all workers share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/task.hpp"
#include "http/client_pool.hpp"
#include "http/exchange.hpp"
#include "mlflow/call_observer.hpp"
#include "mlflow/coalescer.hpp"
#include "mlflow/upstream.hpp"
#include "net/worker.hpp"
#include "telemetry/metrics.hpp"

namespace mlflow {

// Addresses whose X-Forwarded-* fields are believed.
class TrustedProxies {
public:
    // Addresses and CIDR networks. Throws base::ConfigError for anything else.
    explicit TrustedProxies(const std::vector<std::string>& networks);

    [[nodiscard]] bool contains(const boost::asio::ip::address& address) const;

private:
    struct Network {
        boost::asio::ip::address_v6 prefix;  // IPv4 as mapped addresses
        unsigned bits;
    };

    std::vector<Network> networks_;
};

struct GatewayMetrics {
    explicit GatewayMetrics(telemetry::Metrics& metrics);

    telemetry::Counter& successes;
    telemetry::Counter& failures;
    telemetry::Counter& overloads;
    telemetry::Counter& cancelled;
    telemetry::Counter& refused_by_breaker;
    telemetry::Counter& refused_by_queue;
    telemetry::Counter& retries;
    telemetry::Counter& coalesced;
    telemetry::Histogram& time_to_head;
};

// Lives on one worker. `upstream` and `proxies` outlive it.
class Gateway {
public:
    Gateway(net::Worker& worker, Upstream& upstream, const TrustedProxies& proxies, telemetry::Metrics& metrics);

    // Answers one request. The caller has been authenticated. `observer` may be null; `body` is the request's, where it
    // has been read already.
    base::Task<> handle(http::Exchange& exchange,
                        CallObserver* observer = nullptr,
                        std::optional<std::string> body = std::nullopt);

    // Drops kept connections, before the worker ends.
    void close() {
        pool_.clear();
    }

private:
    friend class GatewayCall;
    net::Worker& worker_;
    Upstream& upstream_;
    const TrustedProxies& proxies_;
    http::ClientPool pool_;
    Coalescer coalescer_;
    GatewayMetrics metrics_;
};

}  // namespace mlflow
