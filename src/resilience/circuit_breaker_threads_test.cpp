// Many threads, one breaker: run under ThreadSanitizer this proves the absence of races; here, that nothing is lost or
// overshot.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

#include "base/testing/fixed_random.hpp"
#include "resilience/circuit_breaker.hpp"

#include <gtest/gtest.h>

using namespace std::chrono_literals;

namespace resilience {
namespace {

constexpr int kThreads = 4;
constexpr int kCallsPerThread = 5'000;
constexpr base::MonotonicTime kThreadsStart{1h};

template <class Work>
void run_in_threads(Work work) {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([&work, thread] { work(thread); });
    }
}

TEST(CircuitBreakerThreads, loses_no_success_while_closed) {
    base::testing::FixedRandom random(0.0);
    CircuitBreaker breaker("x", {.window = std::chrono::hours(1)}, random, kThreadsStart);
    run_in_threads([&](int) {
        for (int call = 0; call < kCallsPerThread; ++call) {
            breaker.admit(kThreadsStart)->report(Outcome::success, kThreadsStart);
        }
    });
    const BreakerStatus status = breaker.status(kThreadsStart);
    EXPECT_EQ(status.consecutive_successes, std::uint32_t{kThreads * kCallsPerThread});
    EXPECT_EQ(status.window_calls, std::uint32_t{kThreads * kCallsPerThread});
}

TEST(CircuitBreakerThreads, never_exceeds_the_places_of_a_trial_and_accounts_for_every_permit) {
    constexpr std::uint32_t kPlaces = 2;
    base::testing::FixedRandom random(0.5);
    std::atomic<std::uint64_t> announced{0};
    const CircuitBreakerSettings settings{
        .recovery_timeout = 1us, .half_open_places = kPlaces, .failure_rate = 0.0, .max_open = 10us};
    CircuitBreaker breaker("x", settings, random, kThreadsStart, [&](const Transition&) { ++announced; });
    std::atomic<std::int64_t> ticks{0};
    std::atomic<std::uint64_t> refused{0};
    std::atomic<std::uint64_t> dropped{0};
    run_in_threads([&](int thread) {
        std::mt19937_64 engine(static_cast<std::uint64_t>(thread));
        for (int call = 0; call < kCallsPerThread; ++call) {
            const auto now = kThreadsStart + base::Duration(ticks.fetch_add(100));
            auto permit = breaker.admit(now);
            if (!permit) {
                ++refused;
            } else if (const std::uint64_t choice = engine() % 10; choice == 0) {
                ++dropped;
            } else {
                permit->report(choice < 5 ? Outcome::success : Outcome::failure, now);
            }
            if (call % 64 == 0) {
                EXPECT_LE(breaker.status(now).trials_in_flight, kPlaces);
            }
        }
    });
    const BreakerStatus status = breaker.status(kThreadsStart + base::Duration(ticks.load()));
    EXPECT_EQ(status.refused_total, refused);
    EXPECT_EQ(status.abandoned_total, dropped);
    EXPECT_EQ(status.generation, announced);
    EXPECT_EQ(status.trials_in_flight, 0U);
    EXPECT_GT(status.opened_total, 10U);
}

}  // namespace
}  // namespace resilience
