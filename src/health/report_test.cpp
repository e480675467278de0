#include "health/report.hpp"

#include "base/testing/manual_clock.hpp"
#include "health/testing/sample_snapshot.hpp"

#include <gtest/gtest.h>

namespace health {

namespace {

using namespace std::chrono_literals;

class ReportTest : public ::testing::Test {
protected:
    [[nodiscard]] Status overall() const {
        return aggregate(snapshot, clock.now());
    }

    base::testing::ManualClock clock;
    base::MonotonicTime now = clock.now();
    Snapshot snapshot = testing::healthy_snapshot(now);
};

}  // namespace

TEST_F(ReportTest, is_healthy_when_everything_passes) {
    EXPECT_EQ(overall(), Status::healthy);
}

TEST_F(ReportTest, is_unhealthy_when_the_store_fails) {
    snapshot.store.check = testing::failing_check(now);
    EXPECT_EQ(overall(), Status::unhealthy);
}

TEST_F(ReportTest, is_unhealthy_until_the_store_was_checked) {
    snapshot.store.check = CheckTracker(CheckSettings{}, now).facts();
    EXPECT_EQ(overall(), Status::unhealthy);
}

TEST_F(ReportTest, is_degraded_when_any_other_dependency_fails) {
    for (CheckFacts Snapshot::* const member :
         {&Snapshot::redis, &Snapshot::message_queue, &Snapshot::auth, &Snapshot::discovery}) {
        Snapshot broken = snapshot;
        broken.*member = testing::failing_check(now);
        EXPECT_EQ(aggregate(broken, now), Status::degraded);
    }
}

TEST_F(ReportTest, is_degraded_while_a_breaker_is_open_and_recovering_while_it_is_half_open) {
    testing::open_breaker(snapshot.mlflow.front(), now);
    EXPECT_EQ(overall(), Status::degraded);
    testing::half_open_breaker(snapshot.mlflow.front());
    EXPECT_EQ(overall(), Status::recovering);
}

TEST_F(ReportTest, recovering_outranks_degraded_and_unhealthy_outranks_both) {
    snapshot.redis = testing::failing_check(now);
    testing::half_open_breaker(snapshot.mlflow.front());
    EXPECT_EQ(overall(), Status::recovering);
    snapshot.store.check = testing::failing_check(now);
    EXPECT_EQ(overall(), Status::unhealthy);
}

TEST_F(ReportTest, what_is_not_configured_lowers_nothing) {
    snapshot.mlflow.clear();
    snapshot.redis = snapshot.message_queue = snapshot.auth = snapshot.discovery = CheckFacts{};
    EXPECT_EQ(overall(), Status::healthy);
    EXPECT_EQ(mlflow_status(snapshot, now), Status::disabled);
    EXPECT_EQ(leading_endpoint(snapshot), nullptr);
}

TEST_F(ReportTest, a_dependency_not_checked_yet_does_not_pass) {
    snapshot.redis = CheckTracker(CheckSettings{}, now).facts();
    EXPECT_EQ(status_of(snapshot.redis, now), Status::unknown);
    EXPECT_EQ(overall(), Status::degraded);
}

TEST_F(ReportTest, a_dead_monitor_shows_as_stale_and_its_store_as_unhealthy) {
    clock.advance(12s);
    EXPECT_EQ(overall(), Status::healthy);
    clock.advance(1s);
    EXPECT_EQ(overall(), Status::unhealthy);
    EXPECT_EQ(status_of(snapshot.redis, clock.now()), Status::degraded);
    EXPECT_EQ(trouble_of(snapshot.redis, clock.now()), "no probe result for 13 s: the monitor is late or stuck");
}

TEST_F(ReportTest, a_jump_of_the_wall_clock_changes_nothing) {
    clock.jump_wall(24h * 365);
    EXPECT_EQ(overall(), Status::healthy);
    clock.jump_wall(-24h * 3650);
    EXPECT_EQ(overall(), Status::healthy);
}

TEST_F(ReportTest, a_probe_may_say_degraded_instead_of_down) {
    const auto backlog = testing::failed_result("120 events wait", std::string(kDegraded));
    snapshot.message_queue = testing::check_with(backlog, now);
    EXPECT_EQ(status_of(snapshot.message_queue, now), Status::degraded);
    EXPECT_EQ(trouble_of(snapshot.message_queue, now), "120 events wait");
}

TEST_F(ReportTest, mlflow_is_unhealthy_when_its_probe_fails_before_the_breaker_opens) {
    snapshot.mlflow.front().check = testing::failing_check(now);
    EXPECT_EQ(mlflow_status(snapshot, now), Status::unhealthy);
    EXPECT_EQ(overall(), Status::degraded);
}

TEST_F(ReportTest, one_closed_address_of_several_leads_and_the_open_one_degrades) {
    snapshot.mlflow.push_back(testing::mlflow_endpoint(now, "http://second.test"));
    testing::open_breaker(snapshot.mlflow.front(), now);
    EXPECT_EQ(leading_endpoint(snapshot)->url, "http://second.test");
    EXPECT_EQ(mlflow_status(snapshot, now), Status::degraded);
    testing::half_open_breaker(snapshot.mlflow.front());
    EXPECT_EQ(leading_endpoint(snapshot)->url, "http://second.test");
    EXPECT_EQ(mlflow_status(snapshot, now), Status::recovering);
}

TEST_F(ReportTest, of_open_addresses_the_next_to_be_tried_leads) {
    snapshot.mlflow.push_back(testing::mlflow_endpoint(now, "http://second.test"));
    testing::open_breaker(snapshot.mlflow[0], now);
    testing::open_breaker(snapshot.mlflow[1], now);
    snapshot.mlflow[1].breaker.time_until_retry = 5s;
    EXPECT_EQ(leading_endpoint(snapshot)->url, "http://second.test");
    EXPECT_EQ(mlflow_status(snapshot, now), Status::degraded);
}

}  // namespace health
