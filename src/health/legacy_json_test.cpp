#include "health/legacy_json.hpp"

#include "health/testing/endpoints_fixture.hpp"

#include <boost/json/array.hpp>
#include <gtest/gtest.h>

namespace health {

namespace {

using boost::json::object;

// The columns of the state table.
struct Column {
    std::string_view name;
    unsigned ready;
    unsigned readyz;
    unsigned startupz;
    unsigned mlflow;
    std::string_view health;
    bool is_ready;
    bool can_serve;
    bool is_degraded;
    bool is_recovering;
};

class StateTable : public testing::EndpointsFixture {
protected:
    void expect_column(const Column& column) {
        SCOPED_TRACE(column.name);
        for (const std::string_view path :
             {"/health", "/health/alb", "/live", "/livez", "/health/status", "/version"}) {
            EXPECT_EQ(status(path), 200U) << path;
        }
        EXPECT_EQ(status("/ready"), column.ready);
        EXPECT_EQ(status("/readyz"), column.readyz);
        EXPECT_EQ(status("/startupz"), column.startupz);
        EXPECT_EQ(status("/health/mlflow"), column.mlflow);
        EXPECT_EQ(body("/health").at("status").as_string(), column.health);
        const object ready = body("/ready");
        EXPECT_EQ(ready.at("ready").as_bool(), column.is_ready);
        EXPECT_EQ(ready.at("can_serve_traffic").as_bool(), column.can_serve);
        EXPECT_EQ(ready.at("degraded_mode").as_bool(), column.is_degraded);
        EXPECT_EQ(ready.at("recovering").as_bool(), column.is_recovering);
    }
};

}  // namespace

TEST_F(StateTable, healthy) {
    expect_column({"healthy", 200, 200, 200, 200, "healthy", true, true, false, false});
}

TEST_F(StateTable, degraded_by_an_open_breaker) {
    open_breaker();
    expect_column({"open", 200, 200, 200, 503, "degraded", false, true, true, false});
}

TEST_F(StateTable, degraded_by_another_dependency) {
    snapshot.redis = testing::failing_check(clock.now());
    expect_column({"redis", 200, 200, 200, 200, "degraded", false, true, true, false});
}

TEST_F(StateTable, recovering) {
    testing::half_open_breaker(snapshot.mlflow.front());
    expect_column({"recovering", 200, 200, 200, 200, "degraded", false, true, true, true});
    EXPECT_EQ(body("/health").at("services").at("mlflow").as_string(), "recovering");
    EXPECT_TRUE(ready_item("mlflow").at("passed").as_bool());
    EXPECT_TRUE(ready_item("mlflow").at("recovering").as_bool());
    EXPECT_TRUE(ready_item("mlflow").at("error").is_null());
}

TEST_F(StateTable, unhealthy) {
    snapshot.store.check = testing::failing_check(clock.now(), "disk I/O error");
    expect_column({"unhealthy", 503, 503, 200, 200, "unhealthy", false, false, false, false});
}

TEST_F(StateTable, unhealthy_with_an_open_breaker) {
    snapshot.store.check = testing::failing_check(clock.now());
    open_breaker();
    expect_column({"all down", 503, 503, 200, 503, "unhealthy", false, false, false, false});
}

TEST_F(StateTable, starting) {
    phase = Phase::starting;
    expect_column({"starting", 503, 503, 503, 200, "healthy", false, false, false, false});
    EXPECT_EQ(body("/health").at("phase").as_string(), "starting");
}

TEST_F(StateTable, draining) {
    phase = Phase::draining;
    expect_column({"draining", 503, 503, 200, 200, "healthy", false, false, false, false});
    EXPECT_EQ(body("/ready").at("phase").as_string(), "draining");
}

}  // namespace health
