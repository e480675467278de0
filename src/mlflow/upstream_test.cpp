#include "mlflow/upstream.hpp"

#include <string>

#include "base/testing/fixed_random.hpp"
#include "base/testing/manual_clock.hpp"
#include "net/worker.hpp"

#include <gtest/gtest.h>

namespace mlflow {
namespace {

class UpstreamTest : public ::testing::Test {
protected:
    UpstreamTest() {
        settings_.url = {
            .is_tls = false, .host = "192.0.2.1", .port = 5000, .authority = "192.0.2.1:5000", .base_path = ""};
    }

    [[nodiscard]] Upstream make() {
        return {settings_, "a", resolver_, breaker_, clock_.now()};
    }

    base::testing::ManualClock clock_;
    base::testing::FixedRandom random_{0.0};
    net::Worker worker_{"control", 0, clock_};
    net::NameResolver resolver_{worker_, "192.0.2.1", 5000, {}};
    resilience::CircuitBreaker breaker_{"mlflow", {}, random_, clock_.now()};
    UpstreamSettings settings_;
};

TEST_F(UpstreamTest, is_addressed_by_its_url_unless_a_host_is_set) {
    EXPECT_EQ(make().rules.host, "192.0.2.1:5000");
    settings_.host = "localhost:5000";
    EXPECT_EQ(make().rules.host, "localhost:5000");
}

TEST_F(UpstreamTest, knows_us_by_our_instance) {
    EXPECT_EQ(make().rules.via_name, "hokusai-a");
}

TEST_F(UpstreamTest, keeps_the_base_path_of_its_url) {
    settings_.url.base_path = "/tracking";
    EXPECT_EQ(make().rules.base_path, "/tracking");
}

TEST_F(UpstreamTest, gets_the_credential_that_is_configured) {
    EXPECT_EQ(make().rules.authorization, "");

    settings_.username = "admin";
    EXPECT_EQ(make().rules.authorization, "Basic YWRtaW46");
    settings_.password = base::Secret("p:w");
    EXPECT_EQ(make().rules.authorization, "Basic YWRtaW46cDp3");

    settings_.token = base::Secret("t-1");
    EXPECT_EQ(make().rules.authorization, "Bearer t-1");
}

TEST_F(UpstreamTest, lets_the_caller_s_credential_through_only_when_told) {
    EXPECT_FALSE(make().rules.forwards_caller_authorization);
    settings_.forwards_caller_authorization = true;
    EXPECT_TRUE(make().rules.forwards_caller_authorization);
}

TEST_F(UpstreamTest, limits_bulk_apart_from_the_api) {
    settings_.concurrency = 5;
    settings_.bulk_concurrency = 2;
    const Upstream upstream = make();
    EXPECT_EQ(upstream.api_gate.figures(clock_.now()).limit, 5U);
    EXPECT_EQ(upstream.bulk_gate.figures(clock_.now()).limit, 2U);
}

TEST_F(UpstreamTest, hands_its_connection_settings_to_each_pool) {
    settings_.connect_timeout = std::chrono::milliseconds(150);
    settings_.max_idle = std::chrono::milliseconds(250);
    settings_.max_idle_connections = 7;
    settings_.limits.max_fields = 9;
    const Upstream upstream = make();
    const http::ClientPoolSettings pool = upstream.pool_settings();

    EXPECT_EQ(pool.connect_timeout, settings_.connect_timeout);
    EXPECT_EQ(pool.max_idle, settings_.max_idle);
    EXPECT_EQ(pool.max_idle_connections, 7U);
    EXPECT_EQ(pool.limits.max_fields, 9U);
    EXPECT_EQ(pool.host, "192.0.2.1");
    EXPECT_EQ(pool.tls, nullptr);
}

TEST_F(UpstreamTest, offers_tls_for_an_https_url) {
    settings_.url.is_tls = true;
    EXPECT_NE(make().pool_settings().tls, nullptr);
}

TEST_F(UpstreamTest, refuses_to_start_with_a_certificate_file_that_is_not_there) {
    settings_.url.is_tls = true;
    settings_.tls.ca_file = "/nonexistent/ca.pem";
    try {
        const Upstream upstream = make();
        FAIL() << "the file does not exist";
    } catch (const base::ConfigError& error) {
        EXPECT_NE(std::string(error.what()).find("/nonexistent/ca.pem"), std::string::npos) << error.what();
    }
}

TEST_F(UpstreamTest, remembers_when_it_last_answered) {
    Upstream upstream = make();
    EXPECT_EQ(upstream.last_answer(), base::MonotonicTime());
    clock_.advance(std::chrono::seconds(3));
    upstream.note_answer(clock_.now());
    EXPECT_EQ(upstream.last_answer(), clock_.now());
}

}  // namespace
}  // namespace mlflow
