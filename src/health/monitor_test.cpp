#include "health/monitor.hpp"

#include "base/testing/fixed_random.hpp"
#include "health/health_metrics.hpp"
#include "health/testing/fake_probe.hpp"
#include "health/testing/sample_snapshot.hpp"
#include "net/task_group.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace health {

namespace {

using namespace std::chrono_literals;
using resilience::BreakerState;

class MonitorTest : public ::testing::Test {
protected:
    ~MonitorTest() override {
        if (monitor != nullptr) {
            monitor->stop();
            sleeper.wake_all();
            context.poll();
        }
    }

    void start() {
        monitor = std::make_unique<Monitor>(targets, MonitorSettings{}, MonitorDeps{clock, sleeper, random, metrics});
        for (base::Task<>& loop : monitor->loops()) {
            tasks.spawn("loop", std::move(loop));
        }
        context.poll();
    }

    void start_with_mlflow() {
        targets.mlflow.push_back({.url = "http://mlflow.test", .probe = mlflow, .breaker = breaker});
        start();
    }

    // Lets simulated time pass, waking each sleeper when its time has come.
    void pass(base::Duration duration) {
        const base::MonotonicTime end = clock.now() + duration;
        while (sleeper.has_sleepers() && sleeper.next_wake() <= end) {
            clock.advance(std::max(base::Duration::zero(), sleeper.next_wake() - clock.now()));
            sleeper.wake_due();
            context.restart();
            context.poll();
        }
        clock.advance(std::max(base::Duration::zero(), end - clock.now()));
    }

    [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() {
        return monitor->current(clock.now());
    }

    [[nodiscard]] Status overall() {
        return aggregate(*snapshot(), clock.now());
    }

    void break_mlflow() {
        mlflow.answer = testing::failed_result("connection refused");
        mlflow.answer.refused = true;
    }

    void mend_mlflow() {
        mlflow.answer = testing::passed_result();
    }

    static resilience::CircuitBreakerSettings breaker_settings() {
        resilience::CircuitBreakerSettings settings;
        settings.probes_only_in_half_open = true;
        return settings;
    }

    base::testing::ManualClock clock;
    base::testing::FixedRandom random{0.5};
    base::testing::FixedRandom breaker_random{0.0};
    boost::asio::io_context context;
    net::TaskGroup tasks{context};
    testing::ManualSleeper sleeper{context, clock};
    telemetry::Metrics metrics;
    testing::FakeProbe store{clock};
    testing::FakeProbe mlflow{clock};
    testing::FakeProbe redis{clock};
    testing::FakeProbe detail{clock};
    resilience::CircuitBreaker breaker{"mlflow", breaker_settings(), breaker_random, clock.now()};
    Targets targets{.store = {.probe = store, .engine = "sqlite", .database = "hokusai.db"}};
    std::unique_ptr<Monitor> monitor;
};

}  // namespace

TEST_F(MonitorTest, knows_the_store_at_once_and_probes_it_every_5_s) {
    start();
    EXPECT_EQ(overall(), Status::healthy);
    EXPECT_EQ(snapshot()->store.engine, "sqlite");
    pass(20s);
    EXPECT_EQ(store.runs.size(), 5U);
}

TEST_F(MonitorTest, confirms_a_failure_within_a_second) {
    start();
    store.answer = testing::failed_result("disk I/O error", "database");
    pass(5s);
    EXPECT_EQ(overall(), Status::healthy);
    pass(1s);
    EXPECT_EQ(overall(), Status::unhealthy);
    store.answer = testing::passed_result();
    pass(6s);
    EXPECT_EQ(overall(), Status::healthy);
}

TEST_F(MonitorTest, dependencies_that_are_not_configured_are_disabled) {
    start();
    EXPECT_FALSE(snapshot()->redis.is_configured);
    EXPECT_TRUE(snapshot()->mlflow.empty());
    EXPECT_EQ(tasks.size(), 1U);
}

TEST_F(MonitorTest, each_dependency_has_a_loop_of_its_own) {
    targets.redis = &redis;
    redis.answer = testing::failed_result("connection refused");
    start();
    EXPECT_EQ(overall(), Status::degraded);
    EXPECT_EQ(status_of(snapshot()->redis, clock.now()), Status::unhealthy);
    EXPECT_EQ(tasks.size(), 2U);
}

TEST_F(MonitorTest, a_probe_that_throws_is_a_failure_and_the_loop_goes_on) {
    store.breaks = true;
    start();
    EXPECT_EQ(overall(), Status::unhealthy);
    EXPECT_EQ(snapshot()->store.check.last.kind, kInternal);
    EXPECT_EQ(snapshot()->store.check.last.error, "the probe could not run: broken probe");
    store.breaks = false;
    pass(6s);
    EXPECT_EQ(overall(), Status::healthy);
}

TEST_F(MonitorTest, a_pass_past_the_deadline_is_a_failure) {
    store.takes = 3s;
    start();
    EXPECT_EQ(overall(), Status::unhealthy);
    EXPECT_EQ(snapshot()->store.check.last.kind, kTimeout);
}

TEST_F(MonitorTest, a_monitor_that_no_longer_runs_shows_as_stale) {
    start();
    monitor->stop();
    pass(13s);
    EXPECT_TRUE(snapshot()->store.check.is_stale(clock.now()));
    EXPECT_EQ(overall(), Status::unhealthy);
}

TEST_F(MonitorTest, stop_ends_every_loop_at_its_next_wake_up) {
    targets.redis = &redis;
    targets.details.push_back({.name = "artifacts", .url = "http://mlflow.test/a", .probe = detail});
    start();
    EXPECT_EQ(tasks.size(), 3U);
    monitor->stop();
    sleeper.wake_all();
    context.restart();
    context.poll();
    EXPECT_EQ(tasks.size(), 0U);
    EXPECT_EQ(store.runs.size(), 1U);
}

TEST_F(MonitorTest, details_are_probed_every_30_s) {
    targets.details.push_back({.name = "artifacts", .url = "http://mlflow.test/a", .probe = detail});
    start();
    EXPECT_EQ(snapshot()->details.front().check.state, CheckState::passing);
    pass(61s);
    EXPECT_EQ(detail.runs.size(), 3U);
    EXPECT_FALSE(snapshot()->details.front().check.is_stale(clock.now()));
}

TEST_F(MonitorTest, three_failed_probes_open_the_breaker_without_any_traffic) {
    start_with_mlflow();
    break_mlflow();
    pass(5s);
    EXPECT_EQ(breaker.state(), BreakerState::closed);
    EXPECT_EQ(overall(), Status::degraded);
    pass(2s);
    EXPECT_EQ(breaker.state(), BreakerState::open);
    EXPECT_EQ(snapshot()->mlflow.front().breaker.state, BreakerState::open);
    EXPECT_EQ(overall(), Status::degraded);
}

TEST_F(MonitorTest, the_breaker_closes_by_itself_within_seconds_of_the_return) {
    start_with_mlflow();
    break_mlflow();
    pass(15s);
    ASSERT_EQ(breaker.state(), BreakerState::open);
    mend_mlflow();
    base::Duration waited{};
    while (breaker.state() != BreakerState::closed && waited < 60s) {
        pass(500ms);
        waited += 500ms;
    }
    EXPECT_LE(waited, 10s);
    EXPECT_EQ(overall(), Status::healthy);
    EXPECT_GE(snapshot()->mlflow.front().trials.succeeded, 2U);
}

TEST_F(MonitorTest, half_open_trials_run_a_second_apart) {
    start_with_mlflow();
    break_mlflow();
    pass(15s);
    mend_mlflow();
    while (breaker.state() != BreakerState::closed) {
        pass(100ms);
    }
    const std::size_t count = mlflow.runs.size();
    ASSERT_GE(count, 2U);
    EXPECT_EQ(mlflow.runs[count - 1] - mlflow.runs[count - 2], 1s);
}

TEST_F(MonitorTest, traffic_is_refused_until_the_breaker_is_closed) {
    start_with_mlflow();
    break_mlflow();
    pass(15s);
    mend_mlflow();
    while (breaker.state() != BreakerState::half_open) {
        pass(100ms);
    }
    EXPECT_FALSE(breaker.admit(clock.now()).has_value());
    EXPECT_EQ(overall(), Status::recovering);
}

TEST_F(MonitorTest, a_busy_mlflow_neither_opens_the_breaker_nor_lowers_the_state) {
    start_with_mlflow();
    mlflow.answer = testing::failed_result("slow", std::string(kBusy));
    pass(60s);
    EXPECT_EQ(breaker.state(), BreakerState::closed);
    EXPECT_EQ(overall(), Status::healthy);
    EXPECT_TRUE(snapshot()->mlflow.front().check.last.is_busy());
}

TEST_F(MonitorTest, a_switched_off_breaker_does_not_make_probes_hurry) {
    breaker.disable(clock.now());
    start_with_mlflow();
    break_mlflow();
    pass(60s);
    EXPECT_LE(mlflow.runs.size(), 15U);
}

TEST_F(MonitorTest, refresh_shows_a_breaker_opened_by_traffic_and_its_reset_at_once) {
    start_with_mlflow();
    const std::uint64_t before = monitor->version();
    for (int i = 0; i < 3; ++i) {
        auto permit = breaker.admit(clock.now());
        permit->report(resilience::Outcome::failure, clock.now());
    }
    monitor->refresh(clock.now());
    EXPECT_GT(monitor->version(), before);
    EXPECT_EQ(overall(), Status::degraded);
    breaker.reset(clock.now());
    monitor->refresh(clock.now());
    EXPECT_EQ(overall(), Status::healthy);
}

TEST_F(MonitorTest, readers_see_breaker_figures_no_older_than_100_ms) {
    start_with_mlflow();
    auto permit = breaker.admit(clock.now());
    permit->report(resilience::Outcome::failure, clock.now());
    clock.advance(100ms);
    EXPECT_EQ(snapshot()->mlflow.front().breaker.failure_count, 1U);
}

TEST_F(MonitorTest, a_refresh_without_news_publishes_nothing) {
    start_with_mlflow();
    break_mlflow();
    pass(7s);
    clock.advance(100ms);
    monitor->refresh(clock.now());
    const std::uint64_t before = monitor->version();
    clock.advance(100ms);
    monitor->refresh(clock.now());
    EXPECT_EQ(monitor->version(), before);
}

TEST_F(MonitorTest, a_snapshot_once_read_never_changes) {
    start();
    const auto first = snapshot();
    store.answer = testing::failed_result("disk I/O error");
    pass(10s);
    EXPECT_EQ(first->store.check.state, CheckState::passing);
    EXPECT_NE(first, snapshot());
}

TEST_F(MonitorTest, counts_the_time_spent_in_each_state) {
    start();
    store.answer = testing::failed_result("disk I/O error");
    pass(6s);
    ASSERT_EQ(overall(), Status::unhealthy);
    clock.jump_wall(24h);
    pass(4s);
    EXPECT_EQ(monitor->time_in(Status::healthy, clock.now()), 6s);
    EXPECT_EQ(monitor->time_in(Status::unhealthy, clock.now()), 4s);
}

TEST_F(MonitorTest, exports_what_dashboards_read) {
    start_with_mlflow();
    export_health(metrics, *monitor, clock);
    break_mlflow();
    pass(10s);
    const std::string text = metrics.render();
    for (const char* line : {"mlflow_circuit_breaker_state 2\n",
                             "mlflow_connection_status 0\n",
                             "mlflow_connection_attempts_total 4\n",
                             "mlflow_connection_failures_total 3\n",
                             "hokusai_dependency_up{dependency=\"postgres\"} 1\n",
                             "hokusai_probe_failures_total{dependency=\"mlflow\"} 3\n",
                             "hokusai_recovery_attempts_total{dependency=\"mlflow\",outcome=\"failure\"} 0\n",
                             "hokusai_health_seconds_total{status=\"degraded\"} 5\n",
                             "mlflow_info_info{tracking_uri=\"http://mlflow.test\"} 1\n"}) {
        EXPECT_NE(text.find(line), std::string::npos) << line << text;
    }
}

}  // namespace health
