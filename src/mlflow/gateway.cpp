#include "mlflow/gateway.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "mlflow/gateway_call.hpp"

namespace mlflow {

namespace {

boost::asio::ip::address_v6 to_v6(const boost::asio::ip::address& address) {
    return address.is_v6() ? address.to_v6()
                           : boost::asio::ip::make_address_v6(boost::asio::ip::v4_mapped, address.to_v4());
}

telemetry::Counter& outcome_counter(telemetry::Metrics& metrics, const char* outcome) {
    return metrics.counter(
        "hokusai_mlflow_calls_total", "Calls to MLflow, by what they said about it.", {{"outcome", outcome}});
}

}  // namespace

TrustedProxies::TrustedProxies(const std::vector<std::string>& networks) {
    for (const std::string& text : networks) {
        const std::size_t slash = text.find('/');
        boost::system::error_code error;
        const auto address = boost::asio::ip::make_address(text.substr(0, slash), error);
        const unsigned width = address.is_v6() ? 128 : 32;
        const auto bits =
            slash == std::string::npos ? width : base::parse_uint(text.substr(slash + 1)).value_or(width + 1);
        if (error || bits > width) {
            throw base::ConfigError("HOKUSAI_TRUSTED_PROXIES: \"" + text +
                                    "\" is no address or network; write for example 10.0.0.0/8");
        }
        networks_.push_back({to_v6(address), static_cast<unsigned>(bits) + 128 - width});
    }
}

bool TrustedProxies::contains(const boost::asio::ip::address& address) const {
    if (networks_.empty()) {
        return false;
    }
    const auto bytes = to_v6(address).to_bytes();
    return std::any_of(networks_.begin(), networks_.end(), [&bytes](const Network& network) {
        const auto prefix = network.prefix.to_bytes();
        for (unsigned bit = 0; bit < network.bits; ++bit) {
            const auto mask = static_cast<unsigned char>(0x80U >> (bit % 8));
            if (((bytes[bit / 8] ^ prefix[bit / 8]) & mask) != 0) {
                return false;
            }
        }
        return true;
    });
}

GatewayMetrics::GatewayMetrics(telemetry::Metrics& metrics)
    : successes(outcome_counter(metrics, "success")),
      failures(outcome_counter(metrics, "failure")),
      overloads(outcome_counter(metrics, "overload")),
      cancelled(outcome_counter(metrics, "cancelled")),
      refused_by_breaker(outcome_counter(metrics, "refused_by_breaker")),
      refused_by_queue(outcome_counter(metrics, "refused_by_queue")),
      retries(metrics.counter("hokusai_mlflow_retries_total", "Calls to MLflow that were repeated.")),
      coalesced(metrics.counter("hokusai_mlflow_coalesced_total",
                                "Reads that got the answer of an equal one which waited for MLflow with them.")),
      time_to_head(metrics.histogram("mlflow_response_time_seconds",
                                     "Time from sending a call to MLflow to the head of its answer.")) {}

Gateway::Gateway(net::Worker& worker, Upstream& upstream, const TrustedProxies& proxies, telemetry::Metrics& metrics)
    : worker_(worker),
      upstream_(upstream),
      proxies_(proxies),
      pool_(worker, upstream.resolver, upstream.pool_settings()),
      coalescer_(worker),
      metrics_(metrics) {}

base::Task<> Gateway::handle(http::Exchange& exchange, CallObserver* observer, std::optional<std::string> body) {
    GatewayCall call(*this, exchange, observer, std::move(body));
    co_await call.run();
}

}  // namespace mlflow
