// A server's registry API over HTTP.
#pragma once

#include <cstdint>
#include <future>
#include <string>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/task.hpp"
#include "mlflow/upstream.hpp"
#include "mlflow/upstream_client.hpp"
#include "net/name_resolver.hpp"
#include "net/worker.hpp"
#include "registry_client/api.hpp"
#include "resilience/circuit_breaker.hpp"

namespace registry_client {

class HttpApi final : public Api {
public:
    struct Settings {
        std::string url;                    // of the server, as errors name it
        mlflow::UpstreamSettings upstream;  // the same server: address, credentials, certificates, time limits
        net::NameResolver::Settings resolver;
    };

    // Throws base::ConfigError for a certificate that can't be used.
    explicit HttpApi(const Settings& settings);
    HttpApi(const HttpApi&) = delete;
    HttpApi& operator=(const HttpApi&) = delete;
    ~HttpApi() override;

    base::Result<boost::json::object> call(const Call& call) override;

    // Reads the artifact at `target` to its end and keeps nothing of it: the hokusai it passes through does. How many
    // bytes it has. Blocks.
    base::Result<std::int64_t> read_through(const std::string& target);

private:
    base::Task<> resolve();

    const std::string url_;
    const base::SystemClock clock_;
    net::Worker worker_;
    net::NameResolver resolver_;
    std::promise<void> has_resolved_;  // for good
    base::SeededRandom random_;
    resilience::CircuitBreaker breaker_;  // an upstream has one; nothing here asks it
    mlflow::Upstream upstream_;
    mlflow::UpstreamClient client_;
};

// What the answer of the server at `url` says. Pure.
base::Result<boost::json::object> judge(const mlflow::UpstreamAnswer& answer, const std::string& url);

}  // namespace registry_client
