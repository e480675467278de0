#include "health/mlflow_status.hpp"

#include "health/testing/endpoints_fixture.hpp"

#include <boost/json/array.hpp>
#include <gtest/gtest.h>

namespace health {

namespace {

using namespace std::chrono_literals;
using boost::json::object;
using boost::json::value;

class MlflowStatusTest : public testing::EndpointsFixture {};

}  // namespace

TEST_F(MlflowStatusTest, open_mlflow_health_is_503_with_the_full_object) {
    open_breaker();
    clock.advance(10s);
    const object mlflow = body("/health/mlflow");
    EXPECT_EQ(mlflow.at("circuit_breaker_state").as_string(), "OPEN");
    EXPECT_FALSE(mlflow.at("connected").as_bool());
    EXPECT_EQ(mlflow.at("error").as_string(), "Circuit breaker is OPEN - MLflow unavailable (retry in 20s)");
    EXPECT_EQ(mlflow.at("can_retry_in_seconds").as_double(), 20.0);
    EXPECT_EQ(mlflow.at("tracking_uri").as_string(), "http://mlflow.test:5000");
    EXPECT_EQ(mlflow.at("connection_timeout").as_double(), 2.0);
    EXPECT_EQ(mlflow.at("error_type").as_string(), "refused");
    EXPECT_EQ(mlflow.at("last_check_time").as_string(), "2025-08-14T12:00:00.000000");
    EXPECT_EQ(mlflow.at("timestamp").as_string(), "2025-08-14T12:00:10.000000");
    EXPECT_EQ(mlflow.at("endpoints").as_array().size(), 1U);
    const object& details = mlflow.at("circuit_breaker_details").as_object();
    EXPECT_EQ(details.at("state").as_string(), "OPEN");
    EXPECT_EQ(details.at("failure_count").to_number<int>(), 3);
    EXPECT_EQ(details.at("last_failure_time").as_double(), 1'755'172'800.0);
    EXPECT_EQ(details.at("time_since_last_failure").as_double(), 10.0);
    EXPECT_EQ(details.at("time_until_retry").as_double(), 20.0);
    EXPECT_EQ(details.at("failure_threshold").to_number<int>(), 3);
    EXPECT_EQ(details.at("recovery_timeout").as_double(), 30.0);
    for (const char* key :
         {"consecutive_successes", "recovery_attempts", "last_success_time", "max_recovery_attempts"}) {
        EXPECT_TRUE(details.contains(key)) << key;
    }
}

TEST_F(MlflowStatusTest, closed_mlflow_health_is_200_even_when_not_connected) {
    snapshot.mlflow.front().check = testing::failing_check(clock.now(), "connection refused");
    const http::Response response = ask("/health/mlflow");
    EXPECT_EQ(response.status, 200U);
    const value mlflow = boost::json::parse(response.body);
    EXPECT_FALSE(mlflow.at("connected").as_bool());
    EXPECT_EQ(mlflow.at("error").as_string(), "connection refused");
}

TEST_F(MlflowStatusTest, one_closed_address_of_two_makes_mlflow_health_200_and_lists_both) {
    snapshot.mlflow.push_back(testing::mlflow_endpoint(clock.now(), "http://second.test"));
    open_breaker();
    const object mlflow = body("/health/mlflow");
    EXPECT_EQ(status("/health/mlflow"), 200U);
    EXPECT_EQ(mlflow.at("circuit_breaker_state").as_string(), "CLOSED");
    EXPECT_EQ(mlflow.at("endpoints").at(0).at("circuit_breaker_state").as_string(), "OPEN");
    EXPECT_EQ(mlflow.at("endpoints").at(1).at("tracking_uri").as_string(), "http://second.test");
    EXPECT_EQ(ready_item("mlflow").at("error").as_string(), "1 of 2 MLflow addresses cannot be used");
}

TEST_F(MlflowStatusTest, without_mlflow_its_health_is_200_disabled_and_nothing_is_lowered) {
    snapshot.mlflow.clear();
    snapshot.details.clear();
    EXPECT_EQ(status("/health/mlflow"), 200U);
    const object mlflow = body("/health/mlflow");
    EXPECT_EQ(mlflow.at("circuit_breaker_state").as_string(), "DISABLED");
    EXPECT_EQ(mlflow.at("circuit_breaker_details").at("state").as_string(), "DISABLED");
    EXPECT_FALSE(mlflow.at("connected").as_bool());
    EXPECT_TRUE(mlflow.at("error").is_null());
    EXPECT_EQ(body("/health").at("status").as_string(), "healthy");
    EXPECT_EQ(body("/health").at("services").at("mlflow").as_string(), "disabled");
    EXPECT_TRUE(body("/ready").at("ready").as_bool());
    EXPECT_EQ(status("/api/health/mlflow"), 200U);
    EXPECT_EQ(body("/api/health/mlflow/connectivity").at("status").as_string(), "disabled");
}

TEST_F(MlflowStatusTest, a_busy_mlflow_is_connected_and_says_so) {
    CheckTracker tracker(CheckSettings{}, clock.now());
    tracker.record(testing::passed_result(), clock.now());
    tracker.record(testing::failed_result("slow, but alive", std::string(kBusy)), clock.now());
    snapshot.mlflow.front().check = tracker.facts();
    const object mlflow = body("/health/mlflow");
    EXPECT_TRUE(mlflow.at("connected").as_bool());
    EXPECT_TRUE(mlflow.at("busy").as_bool());
    EXPECT_EQ(mlflow.at("warning").as_string(), "slow, but alive");
    EXPECT_EQ(body("/health").at("status").as_string(), "healthy");
}

TEST_F(MlflowStatusTest, mlflow_checks_keep_the_legacy_body_and_wrap_failures_in_detail) {
    const object checks = body("/api/health/mlflow");
    EXPECT_EQ(checks.at("mlflow_server").as_string(), "http://mlflow.test:5000");
    EXPECT_EQ(checks.at("status").as_string(), "healthy");
    EXPECT_EQ(checks.at("checks").at("connectivity").at("status").as_string(), "healthy");
    EXPECT_EQ(checks.at("checks").at("artifacts_api").at("status").as_string(), "enabled");
    snapshot.details.front().check = testing::failing_check(clock.now(), "403 host check");
    EXPECT_EQ(status("/api/health/mlflow"), 503U);
    const object failed = body("/api/health/mlflow").at("detail").as_object();
    EXPECT_EQ(failed.at("status").as_string(), "unhealthy");
    EXPECT_EQ(failed.at("checks").at("experiments_api").at("message").as_string(), "403 host check");
}

TEST_F(MlflowStatusTest, gateway_checks_probe_artifacts_and_are_never_503) {
    snapshot.details.back().check = testing::failing_check(clock.now(), "503");
    for (const char* path : {"/mlflow/health/mlflow", "/api/mlflow/health/mlflow"}) {
        EXPECT_EQ(status(path), 200U);
        EXPECT_EQ(body(path).at("status").as_string(), "unhealthy");
        EXPECT_EQ(body(path).at("checks").at("artifacts_api").at("status").as_string(), "unhealthy");
    }
}

TEST_F(MlflowStatusTest, mlflow_tests_list_what_was_asked) {
    snapshot.details.front().check = testing::failing_check(clock.now(), "connection refused");
    const object tests = body("/api/health/mlflow/detailed");
    ASSERT_EQ(tests.at("tests").as_array().size(), 3U);
    EXPECT_EQ(tests.at("tests").at(0).at("endpoint").as_string(), "experiments_list");
    EXPECT_EQ(tests.at("tests").at(0).at("error").as_string(), "connection refused");
    EXPECT_EQ(tests.at("tests").at(1).at("endpoint").as_string(), "models_list");
    EXPECT_EQ(tests.at("tests").at(1).at("status_code").to_number<int>(), 200);
    EXPECT_EQ(tests.at("tests").at(1).at("response_time_ms").as_double(), 3.0);
    EXPECT_FALSE(tests.at("overall_health").as_bool());
    EXPECT_EQ(tests.at("environment").at("MLFLOW_SERVE_ARTIFACTS").as_string(), "true");
    EXPECT_FALSE(tests.at("environment").at("PROXY_DEBUG").as_bool());
    EXPECT_EQ(body("/mlflow/health/mlflow/detailed").at("tests").as_array().size(), 4U);
}

TEST_F(MlflowStatusTest, connectivity_tells_connected_timeout_and_error_apart) {
    EXPECT_EQ(body("/api/health/mlflow/connectivity").at("status").as_string(), "connected");
    EXPECT_EQ(body("/api/health/mlflow/connectivity").at("response_code").to_number<int>(), 200);
    const auto timeout = testing::failed_result("no answer", std::string(kTimeout));
    snapshot.mlflow.front().check = testing::check_with(timeout, clock.now());
    EXPECT_EQ(body("/api/health/mlflow/connectivity").at("status").as_string(), "timeout");
    EXPECT_EQ(body("/api/health/mlflow/connectivity").at("error").as_string(), "Connection timeout after 2 seconds");
    snapshot.mlflow.front().check = testing::failing_check(clock.now(), "connection refused");
    EXPECT_EQ(body("/api/health/mlflow/connectivity").at("status").as_string(), "error");
    EXPECT_EQ(status("/api/health/mlflow/connectivity"), 200U);
}

TEST_F(MlflowStatusTest, a_breaker_an_operator_opened_says_so_instead_of_when_it_tries_again) {
    open_breaker();
    snapshot.mlflow.front().breaker.mode = resilience::BreakerMode::forced_open;
    EXPECT_EQ(body("/health/mlflow").at("error").as_string(),
              "Circuit breaker is OPEN - MLflow unavailable (opened by an operator, until reset)");
}

TEST_F(MlflowStatusTest, artifact_serving_that_is_switched_off_is_disabled_and_no_failure) {
    identity.serves_artifacts = false;
    const object artifacts = body("/api/health/mlflow").at("checks").at("artifacts_api").as_object();
    EXPECT_EQ(artifacts.at("status").as_string(), "disabled");
    EXPECT_EQ(artifacts.at("message").as_string(), "Artifact serving is disabled by MLFLOW_SERVE_ARTIFACTS");
    EXPECT_EQ(status("/api/health/mlflow"), 200U);
}

TEST_F(MlflowStatusTest, what_was_not_checked_yet_is_unknown_and_not_well) {
    snapshot.mlflow.front().check = CheckTracker(CheckSettings{}, clock.now()).facts();
    const object failed = body("/api/health/mlflow").at("detail").as_object();
    EXPECT_EQ(failed.at("checks").at("connectivity").at("status").as_string(), "unknown");
    EXPECT_EQ(status("/api/health/mlflow"), 503U);
    const object connectivity = body("/api/health/mlflow/connectivity");
    EXPECT_EQ(connectivity.at("status").as_string(), "error");
    EXPECT_FALSE(connectivity.at("error").as_string().empty());
}

TEST_F(MlflowStatusTest, health_json_warns_of_what_was_not_checked_yet_and_leaves_out_what_is_not_configured) {
    snapshot.redis = CheckFacts{};
    snapshot.auth = CheckTracker(CheckSettings{}, clock.now()).facts();
    const object health = body("/health", "", "application/health+json");
    const object& checks = health.at("checks").as_object();
    EXPECT_FALSE(checks.contains("redis:responseTime"));
    const object& unchecked = checks.at("auth:responseTime").at(0).as_object();
    EXPECT_EQ(unchecked.at("status").as_string(), "warn");
    EXPECT_FALSE(unchecked.contains("observedValue"));
    EXPECT_FALSE(unchecked.at("affectedEndpoints").as_array().empty());
}

}  // namespace health
