#include "apps/module_settings.hpp"

#include <fstream>
#include <iterator>
#include <string>
#include <sys/resource.h>

#include "apps/build_info.hpp"
#include "config/testing/temporary_file.hpp"
#include "telemetry/log.hpp"

#include <gtest/gtest.h>

namespace apps {
namespace {

using namespace std::chrono_literals;

// A limit of open files that ends with the test.
class DescriptorLimit {
public:
    explicit DescriptorLimit(rlim_t files) {
        EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
        const rlimit lowered{files, before_.rlim_max};
        EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &lowered), 0);
    }

    DescriptorLimit(const DescriptorLimit&) = delete;
    DescriptorLimit& operator=(const DescriptorLimit&) = delete;

    ~DescriptorLimit() {
        ::setrlimit(RLIMIT_NOFILE, &before_);
    }

private:
    rlimit before_{};
};

ServiceSettings with_mlflow(const std::string& url) {
    ServiceSettings settings;
    settings.mlflow.urls = {config::parse_http_url(url).value()};
    return settings;
}

TEST(ServerSettings, promise_no_connection_there_is_no_descriptor_for) {
    const DescriptorLimit limit(1000);
    const config::testing::TemporaryFile log("");
    telemetry::start_log({telemetry::LogLevel::info, telemetry::LogFormat::text, log.path()});

    const std::size_t alone = to_server_settings({}).max_connections;
    const std::size_t as_gateway = to_server_settings(with_mlflow("http://mlflow:5000")).max_connections;

    telemetry::shutdown_log();
    std::ifstream in(log.path());
    const std::string text(std::istreambuf_iterator<char>(in), {});
    EXPECT_LT(alone, 1000U);
    EXPECT_EQ(alone - as_gateway, MlflowSettings().concurrency + MlflowSettings().artifact_concurrency);
    EXPECT_NE(text.find("fewer_connections server.max_connections=10000 possible=" + std::to_string(alone)),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("LimitNOFILE"), std::string::npos) << text;
}

TEST(ServerSettings, leave_a_few_connections_however_few_descriptors_there_are) {
    const DescriptorLimit limit(64);

    EXPECT_EQ(to_server_settings({}).max_connections, 16U);
}

TEST(ServerSettings, keep_the_number_asked_for_when_it_is_affordable) {
    const DescriptorLimit limit(1000);
    ServiceSettings settings;
    settings.server.max_connections = 50;

    EXPECT_EQ(to_server_settings(settings).max_connections, 50U);
}

TEST(UpstreamSettings, take_authority_and_base_path_from_the_url) {
    ServiceSettings settings = with_mlflow("https://[::1]:5443/tracking/");

    const mlflow::UpstreamSettings upstream = to_upstream_settings(settings, settings.mlflow.urls.front());

    EXPECT_TRUE(upstream.url.is_tls);
    EXPECT_EQ(upstream.url.host, "::1");
    EXPECT_EQ(upstream.url.port, 5443);
    EXPECT_EQ(upstream.url.authority, "[::1]:5443");
    EXPECT_EQ(upstream.url.base_path, "/tracking");
}

TEST(UpstreamSettings, leave_the_schemes_own_port_out_of_the_host_field) {
    ServiceSettings settings = with_mlflow("http://mlflow:80");

    EXPECT_EQ(to_upstream_settings(settings, settings.mlflow.urls.front()).url.authority, "mlflow");
}

TEST(BreakerSettings, give_a_trial_two_probe_deadlines) {
    const resilience::CircuitBreakerSettings breaker = to_breaker_settings({.failure_threshold = 7}, 2s);

    EXPECT_EQ(breaker.failure_threshold, 7U);
    EXPECT_EQ(breaker.probe_deadline, base::Duration(4s));
    EXPECT_TRUE(breaker.probes_only_in_half_open);
}

TEST(ResolverSettings, hold_the_fallback_addresses) {
    MlflowSettings settings;
    settings.fallback_addresses = {"192.0.2.1", "2001:db8::1"};

    const auto fallback = to_resolver_settings(settings).fallback;

    ASSERT_EQ(fallback.size(), 2U);
    EXPECT_EQ(fallback[0].to_string(), "192.0.2.1");
    EXPECT_EQ(fallback[1].to_string(), "2001:db8::1");
}

TEST(Identity, is_that_of_this_build) {
    ServiceSettings settings;
    settings.environment = "staging";

    const health::Identity identity = to_identity(settings, base::MonotonicTime(5s));

    EXPECT_EQ(identity.version, kVersion);
    EXPECT_EQ(identity.git_commit, kGitCommit);
    EXPECT_EQ(identity.environment, "staging");
    EXPECT_EQ(identity.started_at, base::MonotonicTime(5s));
}

}  // namespace
}  // namespace apps
