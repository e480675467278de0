#include "resilience/adaptive_limit.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace resilience {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kLower = 4;
constexpr std::size_t kUpper = 64;

// A server with a knee, as MLflow has: up to `processors` calls run side by side, more share them, and each call beyond
// costs `thrashing` of the throughput.
struct Server {
    double processors = 6;
    double thrashing = 0.01;
    double slowness = 1;

    [[nodiscard]] double share_of_each(std::size_t calls) const {
        const double beyond = std::max(0.0, static_cast<double>(calls) - processors);
        return std::min(1.0, processors / static_cast<double>(calls)) / (1 + thrashing * beyond) / slowness;
    }
};

struct Kind {
    std::size_t traffic_class;
    double weight;
    std::function<double(std::mt19937_64&)> work_seconds;
    bool needs_processor = true;  // else it waits for something of its own, such as a slow query
};

std::function<double(std::mt19937_64&)> about(double mean) {
    return [mean](std::mt19937_64& engine) { return mean * std::uniform_real_distribution(0.7, 1.3)(engine); };
}

// There is always a next call ready.
class Simulation {
public:
    explicit Simulation(std::vector<Kind> kinds) : kinds_(std::move(kinds)) {
        std::vector<double> weights;
        for (const Kind& kind : kinds_) {
            weights.push_back(kind.weight);
        }
        pick_ = std::discrete_distribution<std::size_t>(weights.begin(), weights.end());
    }

    void run(seconds duration) {
        const base::MonotonicTime end = now_ + duration;
        samples_.clear();
        finished_ = 0;
        while (now_ < end) {
            admit();
            step();
            samples_.push_back(limit_.limit(now_));
        }
        throughput_ = static_cast<double>(finished_) / static_cast<double>(duration.count());
    }

    // Over the last run.
    [[nodiscard]] double mean_limit() const {
        double sum = 0;
        for (const std::size_t sample : samples_) {
            sum += static_cast<double>(sample);
        }
        return sum / static_cast<double>(samples_.size());
    }

    [[nodiscard]] std::size_t lowest_limit() const {
        return *std::ranges::min_element(samples_);
    }

    [[nodiscard]] std::size_t highest_limit() const {
        return *std::ranges::max_element(samples_);
    }

    [[nodiscard]] double throughput() const {
        return throughput_;
    }

    Server server;
    double drop_share = 0;

private:
    static constexpr microseconds kStep{1000};

    struct Call {
        const Kind* kind;
        double left;
        base::MonotonicTime began;
        std::size_t in_flight;
    };

    // Calls older than a second are not counted, as ConcurrencyLimit does.
    [[nodiscard]] std::size_t young() const {
        return static_cast<std::size_t>(
            std::ranges::count_if(calls_, [this](const Call& call) { return now_ - call.began < seconds(1); }));
    }

    void admit() {
        for (std::size_t fresh = young(); calls_.size() < kUpper && fresh < limit_.limit(now_); ++fresh) {
            const Kind& kind = kinds_[pick_(engine_)];
            calls_.push_back({&kind, kind.work_seconds(engine_), now_, fresh + 1});
        }
    }

    void step() {
        const auto busy = static_cast<std::size_t>(
            std::ranges::count_if(calls_, [](const Call& call) { return call.kind->needs_processor; }));
        const double seconds_passed = std::chrono::duration<double>(kStep).count();
        now_ += kStep;
        for (Call& call : calls_) {
            call.left -= seconds_passed * (call.kind->needs_processor ? server.share_of_each(busy) : 1);
        }
        for (std::size_t i = 0; i < calls_.size();) {
            if (calls_[i].left > 0) {
                ++i;
                continue;
            }
            const Call call = calls_[i];
            const bool is_dropped = std::uniform_real_distribution()(engine_) < drop_share;
            limit_.record({call.kind->traffic_class, now_ - call.began, std::max(call.in_flight, young()), is_dropped},
                          now_);
            calls_.erase(calls_.begin() + static_cast<std::ptrdiff_t>(i));
            ++finished_;
        }
    }

    std::vector<Kind> kinds_;
    std::discrete_distribution<std::size_t> pick_;
    std::mt19937_64 engine_{17};
    AdaptiveLimit limit_{kLower, kUpper};
    base::MonotonicTime now_{hours(1)};
    std::vector<Call> calls_;
    std::vector<std::size_t> samples_;  // of the limit
    std::uint64_t finished_ = 0;
    double throughput_ = 0;
};

const std::vector<Kind> kLookups{{1, 1, about(0.010)}};

TEST(AdaptiveLimit, converges_to_near_the_knee_of_the_server) {
    for (const double knee : {4.0, 8.0, 16.0}) {
        Simulation simulation(kLookups);
        simulation.server.processors = knee;
        simulation.run(seconds(5));
        simulation.run(seconds(15));
        EXPECT_GE(simulation.mean_limit(), knee) << knee;
        EXPECT_LE(simulation.mean_limit(), 2.5 * knee + 4) << knee;
        EXPECT_GE(simulation.throughput(), 0.85 * knee / 0.010) << knee;
    }
}

TEST(AdaptiveLimit, keeps_more_throughput_than_a_limit_set_too_high) {
    Simulation adaptive(kLookups);
    adaptive.server.thrashing = 0.03;
    adaptive.run(seconds(5));
    adaptive.run(seconds(15));
    const double at_upper = static_cast<double>(kUpper) * adaptive.server.share_of_each(kUpper) / 0.010;
    EXPECT_GE(adaptive.throughput(), 1.5 * at_upper);
}

TEST(AdaptiveLimit, goes_down_while_the_server_is_slow_and_comes_back) {
    Simulation simulation(kLookups);
    simulation.server.processors = 12;
    simulation.run(seconds(20));
    const double before = simulation.mean_limit();
    simulation.server.processors = 3;
    simulation.run(seconds(20));
    EXPECT_LE(simulation.mean_limit(), 0.7 * before);
    simulation.server.processors = 12;
    simulation.run(seconds(60));
    simulation.run(seconds(20));
    EXPECT_NEAR(simulation.mean_limit(), before, 0.3 * before);
}

TEST(AdaptiveLimit, takes_a_server_that_became_slower_for_good_as_the_new_normal) {
    Simulation simulation(kLookups);
    simulation.server.processors = 12;
    simulation.run(seconds(20));
    const double before = simulation.mean_limit();
    simulation.server.slowness = 5;
    simulation.run(seconds(60));
    simulation.run(seconds(20));
    EXPECT_NEAR(simulation.mean_limit(), before, 0.4 * before);
}

TEST(AdaptiveLimit, does_not_collapse_under_heavy_tails) {
    const auto heavy = [](std::mt19937_64& engine) {
        return std::min(5.0, 0.004 * std::pow(std::uniform_real_distribution(1e-4, 1.0)(engine), -1 / 1.3));
    };
    Simulation simulation({{1, 1, heavy}});
    simulation.server.processors = 12;
    simulation.run(seconds(5));
    simulation.run(seconds(15));
    EXPECT_GE(simulation.mean_limit(), 10);
}

TEST(AdaptiveLimit, does_not_take_slow_searches_for_overload) {
    Simulation simulation({{1, 0.98, about(0.005)}, {2, 0.02, about(12.0), false}});
    simulation.server.processors = 12;
    simulation.run(seconds(5));
    simulation.run(seconds(15));
    EXPECT_GE(simulation.mean_limit(), 10);
}

TEST(AdaptiveLimit, does_not_take_another_mix_of_calls_for_overload) {
    AdaptiveLimit limit(kLower, 8);
    base::MonotonicTime now{hours(1)};
    const auto record = [&](std::size_t traffic_class, milliseconds took, std::size_t in_flight) {
        now += took;
        limit.record({traffic_class, took, in_flight}, now);
    };
    for (int call = 0; call < 200; ++call) {
        record(1, milliseconds(5), 2);
        record(2, milliseconds(500), 2);
    }
    for (int call = 0; call < 200; ++call) {
        record(1, milliseconds(5), 8);
    }
    for (int call = 0; call < 50; ++call) {
        record(2, milliseconds(500), 8);
        EXPECT_EQ(limit.limit(now), 8U);
    }
}

TEST(AdaptiveLimit, forgives_a_few_outliers_of_any_size) {
    AdaptiveLimit limit(kLower, 32);
    base::MonotonicTime now{hours(1)};
    for (int call = 0; call < 1000; ++call) {
        const base::Duration took = call % 5 == 3 ? base::Duration(seconds(20)) : base::Duration(milliseconds(5));
        now += milliseconds(10);
        limit.record({1, took, call < 200 ? std::size_t{2} : std::size_t{32}}, now);
        EXPECT_EQ(limit.limit(now), 32U) << call;
    }
}

TEST(AdaptiveLimit, keeps_its_idea_of_an_unloaded_server_after_an_outlier) {
    AdaptiveLimit limit(kLower, 32);
    base::MonotonicTime now{hours(1)};
    for (int call = 0; call < 200; ++call) {
        now += milliseconds(10);
        limit.record({1, call == 199 ? seconds(20) : milliseconds(5), 2}, now);
    }
    std::size_t lowest = limit.limit(now);
    for (int call = 0; call < 200; ++call) {
        now += milliseconds(50);
        limit.record({1, milliseconds(50), limit.limit(now)}, now);
        lowest = std::min(lowest, limit.limit(now));
    }
    EXPECT_LE(lowest, 5U);
}

TEST(AdaptiveLimit, ignores_calls_begun_before_the_limit_changed) {
    AdaptiveLimit limit(kLower, 32);
    base::MonotonicTime now{hours(1)};
    for (int call = 0; call < 200; ++call) {
        now += milliseconds(10);
        limit.record({1, milliseconds(5), 2}, now);
    }
    now += milliseconds(200);
    limit.record({.in_flight = 32, .was_dropped = true}, now);
    const std::size_t changed = limit.limit(now);
    for (int call = 0; call < 200; ++call) {
        now += milliseconds(1);
        limit.record({1, milliseconds(250), changed}, now);
    }
    EXPECT_EQ(limit.limit(now), changed);
}

TEST(AdaptiveLimit, grows_by_no_more_than_a_short_queue_at_a_time) {
    AdaptiveLimit limit(kLower, 100);
    base::MonotonicTime now{hours(1)};
    while (limit.limit(now) > 16) {
        now += milliseconds(100);
        limit.record({.in_flight = 16, .was_dropped = true}, now);
    }
    limit.record({1, milliseconds(50), 1}, now);
    std::size_t before = limit.limit(now);
    for (int call = 0; call < 400; ++call) {
        now += milliseconds(10);
        limit.record({1, milliseconds(5), before}, now);
        ASSERT_LE(limit.limit(now), before + 10) << "faster than ever is no reason to double it";
        before = limit.limit(now);
    }
    EXPECT_EQ(before, 100U);
}

TEST(AdaptiveLimit, gives_way_to_drops_once_a_window) {
    AdaptiveLimit limit(kLower, 32);
    base::MonotonicTime now{hours(1)};
    for (int call = 0; call < 32; ++call) {
        limit.record({.in_flight = 32, .was_dropped = true}, now);
    }
    EXPECT_EQ(limit.limit(now), 28U);
    for (int call = 0; call < 40; ++call) {
        now += milliseconds(100);
        limit.record({.in_flight = 32, .was_dropped = true}, now);
    }
    EXPECT_EQ(limit.limit(now), kLower);
}

TEST(AdaptiveLimit, finds_room_under_a_server_that_refuses_what_is_too_much) {
    Simulation simulation(kLookups);
    simulation.server.processors = 1000;
    simulation.drop_share = 0.2;
    simulation.run(seconds(5));
    EXPECT_EQ(simulation.lowest_limit(), kLower);
    simulation.drop_share = 0;
    simulation.run(seconds(5));
    EXPECT_EQ(simulation.highest_limit(), kUpper);
}

TEST(AdaptiveLimit, does_not_grow_while_it_is_not_used) {
    AdaptiveLimit limit(kLower, 32);
    base::MonotonicTime now{hours(1)};
    while (limit.limit(now) > 16) {
        now += milliseconds(100);
        limit.record({.in_flight = 16, .was_dropped = true}, now);
    }
    const std::size_t before = limit.limit(now);
    for (int call = 0; call < 500; ++call) {
        now += milliseconds(20);
        limit.record({1, milliseconds(5), 3}, now);
    }
    EXPECT_EQ(limit.limit(now), before);
    for (int call = 0; call < 500; ++call) {
        now += milliseconds(20);
        limit.record({1, milliseconds(5), limit.limit(now)}, now);
    }
    EXPECT_EQ(limit.limit(now), 32U);
}

TEST(AdaptiveLimit, looks_at_the_unloaded_server_now_and_then_while_calls_wait) {
    AdaptiveLimit limit(kLower, 32);
    base::MonotonicTime now{hours(1)};
    limit.record({1, milliseconds(5), 1}, now);
    const auto busy_until_probe = [&] {
        const base::MonotonicTime began = now;
        while (limit.limit(now) == 32 && now - began < hours(1)) {
            now += milliseconds(5);
            limit.record({1, milliseconds(5), 32}, now);
        }
        return now - began;
    };
    EXPECT_NEAR(std::chrono::duration<double>(busy_until_probe()).count(), 60, 1);
    EXPECT_EQ(limit.limit(now), kLower);
    EXPECT_EQ(limit.limit(now + seconds(3)), 32U) << "a probe ends by itself";
    for (int call = 0; call < 16; ++call) {
        EXPECT_EQ(limit.limit(now), kLower);
        now += milliseconds(5);
        limit.record({1, milliseconds(5), 4}, now);
    }
    EXPECT_EQ(limit.limit(now), 32U);
    EXPECT_NEAR(std::chrono::duration<double>(busy_until_probe()).count(), 60, 1);
}

TEST(AdaptiveLimit, keeps_its_bounds_whatever_it_is_told) {
    std::mt19937_64 engine(3);
    AdaptiveLimit limit(kLower, 20);
    base::MonotonicTime now{hours(1)};
    for (int call = 0; call < 200'000; ++call) {
        now += microseconds(engine() % 20'000);
        limit.record({engine() % 70, microseconds(engine() % 3'000'000), engine() % 200, engine() % 50 == 0}, now);
        ASSERT_GE(limit.limit(now), kLower);
        ASSERT_LE(limit.limit(now), 20U);
    }
}

TEST(AdaptiveLimit, is_fixed_between_equal_bounds) {
    AdaptiveLimit limit(3, 3);
    base::MonotonicTime now{hours(1)};
    for (int call = 0; call < 1000; ++call) {
        now += milliseconds(50);
        limit.record({1, milliseconds(call), 3, call % 2 == 0}, now);
        ASSERT_EQ(limit.limit(now), 3U);
    }
}

}  // namespace
}  // namespace resilience
