#include "health/endpoints.hpp"

#include "health/testing/endpoints_fixture.hpp"

#include <boost/json/array.hpp>
#include <gtest/gtest.h>

namespace health {

namespace {

using namespace std::chrono_literals;
using boost::json::object;
using boost::json::value;

using testing::get;

class EndpointsTest : public testing::EndpointsFixture {};

}  // namespace

TEST_F(EndpointsTest, health_has_every_legacy_field_and_the_additions) {
    const object health = body("/health");
    EXPECT_EQ(health.at("version").as_string(), "0.1.0");
    EXPECT_EQ(health.at("timestamp").as_string(), "2025-08-14T12:00:00.000000");
    EXPECT_TRUE(health.at("system_info").is_null());
    EXPECT_EQ(health.at("store_engine").as_string(), "sqlite");
    EXPECT_EQ(health.at("phase").as_string(), "serving");
    for (const char* name : {"mlflow", "redis", "message_queue", "postgres", "external_api"}) {
        EXPECT_EQ(health.at("services").at(name).as_string(), "healthy") << name;
    }
    EXPECT_EQ(health.at("checks").at("postgres").at("status").as_string(), "healthy");
    EXPECT_EQ(health.at("checks").at("postgres").at("age_seconds").as_double(), 0.0);
    EXPECT_FALSE(health.at("checks").at("postgres").at("stale").as_bool());
}

TEST_F(EndpointsTest, services_are_strings_unless_details_are_asked_for) {
    open_breaker();
    for (const auto& service : body("/health", "detailed=false").at("services").as_object()) {
        EXPECT_TRUE(service.value().is_string()) << service.key();
    }
}

TEST_F(EndpointsTest, detailed_health_is_200_with_nested_objects) {
    open_breaker();
    snapshot.redis = testing::failing_check(clock.now(), "no route");
    const http::Response response = ask("/health", "detailed=true");
    EXPECT_EQ(response.status, 200U);
    const object health = boost::json::parse(response.body).as_object();
    const object& services = health.at("services").as_object();
    EXPECT_EQ(services.at("mlflow_details").at("circuit_breaker_state").as_string(), "OPEN");
    EXPECT_TRUE(
        services.at("mlflow_details").at("degradation_reason").as_string().starts_with("Circuit breaker is open"));
    EXPECT_EQ(services.at("redis_error").as_string(), "no route");
    EXPECT_EQ(services.at("postgres_details").at("primary_db").as_string(), "hokusai.db");
    EXPECT_TRUE(services.contains("message_queue_details"));
    EXPECT_EQ(health.at("system_info").at("cpu_percent").as_double(), 12.0);
    EXPECT_EQ(health.at("system_info").at("memory_percent").as_double(), 41.5);
}

TEST_F(EndpointsTest, detailed_takes_every_boolean_form_and_nothing_else) {
    for (const char* form : {"true", "1", "yes", "on", "True", "ON"}) {
        EXPECT_EQ(parse_detailed(std::string("detailed=") + form), true) << form;
    }
    for (const char* form : {"false", "0", "no", "off", "FALSE"}) {
        EXPECT_EQ(parse_detailed(std::string("detailed=") + form), false) << form;
    }
    EXPECT_EQ(parse_detailed(""), false);
    EXPECT_EQ(parse_detailed("other=maybe&undetailed=x"), false);
    EXPECT_EQ(parse_detailed("detailed=false&detailed=true"), true);
    EXPECT_EQ(parse_detailed("detailed"), std::nullopt);
    const http::Response refused = ask("/health", "detailed=maybe");
    EXPECT_EQ(refused.status, 422U);
    const value item = boost::json::parse(refused.body).at("detail").at(0);
    EXPECT_EQ(item.at("loc").at(1).as_string(), "detailed");
    EXPECT_EQ(item.at("type").as_string(), "bool_parsing");
}

TEST_F(EndpointsTest, ready_items_tell_what_failed_and_whether_it_is_critical) {
    open_breaker();
    const object mlflow = ready_item("mlflow");
    EXPECT_FALSE(mlflow.at("passed").as_bool());
    EXPECT_FALSE(mlflow.at("critical").as_bool());
    EXPECT_TRUE(mlflow.at("degraded_mode").as_bool());
    EXPECT_EQ(mlflow.at("error").as_string(), "Circuit breaker open - MLflow temporarily unavailable");
    EXPECT_EQ(mlflow.at("dns_status").as_string(), "healthy");
    EXPECT_TRUE(ready_item("database").at("passed").as_bool());
    EXPECT_TRUE(ready_item("database").at("critical").as_bool());
    EXPECT_TRUE(ready_item("database").at("connection_details").is_null());
    snapshot.store.check = testing::failing_check(clock.now(), "disk I/O error");
    EXPECT_EQ(ready_item("database").at("error").as_string(), "disk I/O error");
    EXPECT_EQ(ready_item("database").at("connection_details").at("primary_db").as_string(), "hokusai.db");
}

TEST_F(EndpointsTest, a_dead_monitor_makes_checks_stale_and_the_service_unhealthy) {
    clock.advance(60s);
    const object health = body("/health");
    EXPECT_EQ(health.at("status").as_string(), "unhealthy");
    for (const auto& check : health.at("checks").as_object()) {
        EXPECT_TRUE(check.value().at("stale").as_bool()) << check.key();
        EXPECT_EQ(check.value().at("age_seconds").as_double(), 60.0) << check.key();
    }
    EXPECT_EQ(status("/ready"), 503U);
    EXPECT_EQ(status("/livez"), 200U);
    EXPECT_FALSE(body("/health/mlflow").at("connected").as_bool());
}

TEST_F(EndpointsTest, a_jump_of_the_wall_clock_moves_only_the_times_shown) {
    clock.jump_wall(1h);
    EXPECT_EQ(body("/health").at("status").as_string(), "healthy");
    EXPECT_EQ(body("/health").at("checks").at("redis").at("age_seconds").as_double(), 0.0);
    EXPECT_EQ(body("/health").at("timestamp").as_string(), "2025-08-14T13:00:00.000000");
    EXPECT_EQ(body("/live").at("uptime").as_double(), 90.0);
}

TEST_F(EndpointsTest, liveness_and_version_tell_the_truth) {
    const object live = body("/live");
    EXPECT_TRUE(live.at("alive").as_bool());
    EXPECT_EQ(live.at("uptime").as_double(), 90.0);
    EXPECT_EQ(live.at("memory_usage_mb").as_double(), 16.0);
    const object version = body("/version");
    EXPECT_EQ(version.at("version").as_string(), "0.1.0");
    EXPECT_EQ(version.at("git_commit").as_string(), "abc1234");
    EXPECT_EQ(version.at("build_date").as_string(), "2025-08-01");
    EXPECT_EQ(version.at("api_version").as_string(), "v1");
}

TEST_F(EndpointsTest, status_overview_has_every_legacy_field) {
    const object status = body("/health/status");
    EXPECT_EQ(status.at("service_name").as_string(), "hokusai-registry");
    EXPECT_EQ(status.at("overall_health").as_string(), "healthy");
    EXPECT_EQ(status.at("mlflow").at("status").at("circuit_breaker_state").as_string(), "CLOSED");
    EXPECT_EQ(status.at("mlflow").at("circuit_breaker").at("state").as_string(), "CLOSED");
    EXPECT_EQ(status.at("system_info").at("cpu_percent").as_double(), 12.0);
    EXPECT_EQ(status.at("uptime_seconds").as_double(), 90.0);
    EXPECT_EQ(status.at("environment").as_string(), "test");
    EXPECT_EQ(status.at("api_version").as_string(), "0.1.0");
    EXPECT_TRUE(status.contains("timestamp"));
}

TEST_F(EndpointsTest, api_health_answers_as_health) {
    EXPECT_EQ(ask("/api/health").body, ask("/health").body);
}

TEST_F(EndpointsTest, health_json_passes_warns_and_fails) {
    const char* accept = "application/health+json, application/json;q=0.5";
    EXPECT_EQ(ask("/health", "", accept).content_type, "application/health+json");
    EXPECT_EQ(body("/health", "", accept).at("status").as_string(), "pass");
    open_breaker();
    EXPECT_EQ(ask("/health", "", accept).status, 200U);
    EXPECT_EQ(body("/health", "", accept).at("status").as_string(), "warn");
    EXPECT_EQ(ask("/health/mlflow", "", accept).status, 503U);
    snapshot.store.check = testing::failing_check(clock.now(), "disk I/O error");
    EXPECT_EQ(ask("/health", "", accept).status, 503U);
    const object failed = body("/health", "", accept);
    EXPECT_EQ(failed.at("status").as_string(), "fail");
    const value& store = failed.at("checks").at("postgres:responseTime").at(0);
    EXPECT_EQ(store.at("status").as_string(), "fail");
    EXPECT_EQ(store.at("output").as_string(), "disk I/O error");
    EXPECT_EQ(store.at("time").as_string(), "2025-08-14T12:00:00.000000Z");
    EXPECT_TRUE(store.at("observedValue").is_double());
    EXPECT_FALSE(store.at("affectedEndpoints").as_array().empty());
    EXPECT_EQ(ask("/livez", "", accept).status, 200U);
}

TEST_F(EndpointsTest, health_json_of_readiness_fails_while_starting) {
    phase = Phase::starting;
    EXPECT_EQ(ask("/readyz", "", "application/health+json").status, 503U);
    EXPECT_EQ(ask("/startupz", "", "application/health+json").status, 503U);
    EXPECT_EQ(ask("/livez", "", "application/health+json").status, 200U);
}

TEST_F(EndpointsTest, other_media_types_get_the_legacy_body) {
    EXPECT_EQ(ask("/health", "", "*/*").content_type, "application/json");
    EXPECT_EQ(ask("/version", "", "application/health+json").content_type, "application/json");
}

TEST_F(EndpointsTest, paths_are_matched_whole) {
    for (const char* path : {"/healthz", "/health/", "/healthx", "/ready/x", "/", "", "/health/mlflow/reset"}) {
        EXPECT_FALSE(testing::find_endpoint(path).has_value()) << path;
    }
}

TEST_F(EndpointsTest, no_answer_may_be_cached_and_other_methods_are_405) {
    const View view{snapshot, identity, phase, clock.now(), clock.wall_now()};
    http::RequestHead request = get("/health");
    request.method = http::Method::post;
    const http::Response refused = answer(Endpoint::health, view, request);
    EXPECT_EQ(refused.status, 405U);
    EXPECT_EQ(refused.body, R"({"detail":"Method Not Allowed"})");
    request.method = http::Method::head;
    EXPECT_EQ(answer(Endpoint::health, view, request).body, ask("/health").body);
    for (std::size_t i = 0; i < kEndpointCount; ++i) {
        const http::Response response = answer(static_cast<Endpoint>(i), view, get(""));
        EXPECT_EQ(response.headers.at(0), (std::pair<std::string, std::string>("Cache-Control", "no-store"))) << i;
    }
}

TEST_F(EndpointsTest, reset_answers_keep_their_form) {
    EXPECT_EQ(reset_done(clock.wall_now()).body,
              R"({"message":"Circuit breaker reset successfully","timestamp":"2025-08-14T12:00:00.000000",)"
              R"("reset_by":"manual_api_call"})");
    EXPECT_EQ(reset_failed("no breaker").status, 500U);
    EXPECT_EQ(reset_failed("no breaker").body, R"({"detail":"Reset failed: no breaker"})");
}

TEST_F(EndpointsTest, hostile_error_text_stays_inside_its_string) {
    snapshot.redis = testing::failing_check(clock.now(), "\"}<script>\n\x01");
    EXPECT_EQ(body("/health").at("checks").at("redis").at("error").as_string(), "\"}<script>\n\x01");
}

}  // namespace health
