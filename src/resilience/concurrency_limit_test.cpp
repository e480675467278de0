#include "resilience/concurrency_limit.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace resilience {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr CallerId kGreedy = 1;
constexpr CallerId kModest = 2;

class ConcurrencyLimitTest : public ::testing::Test {
protected:
    // A limit that does not adapt.
    static ConcurrencyLimit fixed(std::size_t limit, std::size_t queue_capacity) {
        return ConcurrencyLimit({limit, limit, queue_capacity});
    }

    Entry enter(ConcurrencyLimit& limit, CallerId caller = kGreedy, base::Duration patience = hours(1)) {
        return limit.enter(caller, patience, now_);
    }

    void leave(ConcurrencyLimit& limit, const Admission& admission) {
        limit.leave(admission, std::nullopt, now_);
    }

    std::optional<Ticket> next_ticket(ConcurrencyLimit& limit) {
        const auto turn = limit.next_turn(now_);
        return turn ? std::optional(turn->ticket) : std::nullopt;
    }

    base::MonotonicTime now_{hours(1)};
};

TEST_F(ConcurrencyLimitTest, admits_then_queues_then_refuses) {
    ConcurrencyLimit limit = fixed(2, 1);
    EXPECT_EQ(enter(limit).kind, Entry::Kind::admitted);
    EXPECT_EQ(enter(limit).kind, Entry::Kind::admitted);
    EXPECT_EQ(enter(limit).kind, Entry::Kind::queued);
    EXPECT_EQ(enter(limit).kind, Entry::Kind::queue_full);
    EXPECT_EQ(limit.in_flight(), 2U);
    EXPECT_EQ(limit.queued(), 1U);
}

TEST_F(ConcurrencyLimitTest, hands_a_free_place_on_and_lets_nobody_overtake) {
    ConcurrencyLimit limit = fixed(1, 5);
    const Entry inside = enter(limit);
    const Entry first = enter(limit);
    const Entry second = enter(limit);
    leave(limit, inside.admission);
    EXPECT_EQ(enter(limit).kind, Entry::Kind::queued) << "the free place is the first one's";
    const auto turn = limit.next_turn(now_);
    ASSERT_TRUE(turn);
    EXPECT_EQ(turn->ticket, first.ticket);
    EXPECT_EQ(next_ticket(limit), std::nullopt);
    leave(limit, turn->admission);
    EXPECT_EQ(next_ticket(limit), second.ticket);
}

TEST_F(ConcurrencyLimitTest, skips_whoever_no_longer_waits) {
    ConcurrencyLimit limit = fixed(1, 5);
    const Entry inside = enter(limit);
    const Entry first = enter(limit);
    const Entry second = enter(limit);
    EXPECT_TRUE(limit.cancel(kGreedy, first.ticket));
    EXPECT_FALSE(limit.cancel(kGreedy, first.ticket));
    leave(limit, inside.admission);
    EXPECT_EQ(next_ticket(limit), second.ticket);
    EXPECT_FALSE(limit.cancel(kGreedy, second.ticket)) << "it holds a place now";
}

TEST_F(ConcurrencyLimitTest, refuses_at_once_without_a_queue) {
    ConcurrencyLimit limit = fixed(1, 0);
    EXPECT_EQ(enter(limit).kind, Entry::Kind::admitted);
    EXPECT_EQ(enter(limit).kind, Entry::Kind::queue_full);
}

TEST_F(ConcurrencyLimitTest, serves_the_modest_caller_next_and_names_who_gives_way) {
    ConcurrencyLimit limit = fixed(2, 3);
    const Entry inside = enter(limit);
    (void)enter(limit);
    (void)enter(limit);
    (void)enter(limit);
    const Entry newest = enter(limit);
    const Entry modest = enter(limit, kModest);
    EXPECT_EQ(modest.kind, Entry::Kind::queued);
    EXPECT_EQ(modest.displaced, newest.ticket);
    leave(limit, inside.admission);
    EXPECT_EQ(next_ticket(limit), modest.ticket);
}

TEST_F(ConcurrencyLimitTest, refuses_at_once_a_call_whose_turn_would_come_too_late) {
    ConcurrencyLimit limit = fixed(1, 200);
    Admission inside = enter(limit).admission;
    for (int call = 0; call < 60; ++call) {
        EXPECT_EQ(enter(limit, kGreedy, seconds(1)).kind, Entry::Kind::queued) << "nothing is known of the pace yet";
    }
    for (int turn = 0; turn < 20; ++turn) {
        now_ += milliseconds(100);
        leave(limit, inside);
        inside = limit.next_turn(now_)->admission;
    }

    EXPECT_NEAR(std::chrono::duration<double>(limit.time_to_drain(now_)).count(), 4.0, 0.01);
    EXPECT_EQ(enter(limit, kGreedy, seconds(4)).kind, Entry::Kind::hopeless);
    EXPECT_EQ(enter(limit, kGreedy, seconds(5)).kind, Entry::Kind::queued);
    EXPECT_EQ(enter(limit, kModest, milliseconds(300)).kind, Entry::Kind::queued) << "its turn comes sooner";
    now_ += seconds(10);
    EXPECT_EQ(enter(limit, kGreedy, seconds(10)).kind, Entry::Kind::hopeless) << "the peer has stopped";
}

TEST_F(ConcurrencyLimitTest, does_not_judge_the_pace_by_a_few_slow_calls) {
    ConcurrencyLimit limit = fixed(1, 200);
    Admission inside = enter(limit).admission;
    for (int call = 0; call < 60; ++call) {
        (void)enter(limit);
    }
    for (int turn = 0; turn < 3; ++turn) {
        now_ += seconds(20);
        leave(limit, inside);
        inside = limit.next_turn(now_)->admission;
    }
    EXPECT_EQ(enter(limit, kGreedy, seconds(30)).kind, Entry::Kind::queued);
}

TEST_F(ConcurrencyLimitTest, knows_nothing_of_the_pace_of_a_new_queue) {
    ConcurrencyLimit limit = fixed(1, 200);
    Admission inside = enter(limit).admission;
    for (int call = 0; call < 20; ++call) {
        (void)enter(limit);
    }
    for (int turn = 0; turn < 20; ++turn) {
        now_ += seconds(10);
        leave(limit, inside);
        inside = limit.next_turn(now_)->admission;
    }
    now_ += hours(1);
    for (int call = 0; call < 100; ++call) {
        EXPECT_EQ(enter(limit, kGreedy, seconds(1)).kind, Entry::Kind::queued);
    }
}

TEST_F(ConcurrencyLimitTest, counts_calls_that_run_long_towards_the_upper_bound_only) {
    ConcurrencyLimit limit({.lower = 2, .upper = 4, .queue_capacity = 8});
    for (int call = 0; call < 20; ++call) {
        const Entry overloaded = enter(limit);
        now_ += milliseconds(200);
        limit.leave(overloaded.admission, CallResult{.was_dropped = true}, now_);
    }
    ASSERT_EQ(limit.limit(now_), 2U);

    const Entry first = enter(limit);
    const Entry second = enter(limit);
    const Entry third = enter(limit);
    ASSERT_EQ(third.kind, Entry::Kind::queued);
    now_ += milliseconds(800);
    EXPECT_EQ(next_ticket(limit), std::nullopt);
    now_ += milliseconds(400);
    EXPECT_EQ(next_ticket(limit), third.ticket);
    EXPECT_EQ(enter(limit).kind, Entry::Kind::admitted);
    now_ += seconds(2);
    EXPECT_EQ(enter(limit).kind, Entry::Kind::queued) << "the upper bound holds for all";
    leave(limit, first.admission);
    leave(limit, second.admission);
    EXPECT_EQ(limit.in_flight(), 2U);
}

TEST_F(ConcurrencyLimitTest, loses_no_place_under_random_use) {
    std::mt19937_64 engine(7);
    ConcurrencyLimit limit = fixed(3, 6);
    std::map<Ticket, CallerId> waiting;
    std::vector<Admission> running;
    for (int step = 0; step < 50'000; ++step) {
        now_ += milliseconds(engine() % 300);
        const std::uint64_t choice = engine() % 8;
        if (choice < 4) {
            const CallerId caller = engine() % 4;
            const Entry entry = limit.enter(caller, hours(1), now_);
            if (entry.kind == Entry::Kind::admitted) {
                running.push_back(entry.admission);
            } else if (entry.kind == Entry::Kind::queued) {
                waiting.emplace(entry.ticket, caller);
            }
            if (entry.displaced) {
                ASSERT_EQ(waiting.erase(*entry.displaced), 1U);
            }
        } else if (choice < 7 && !running.empty()) {
            std::swap(running[engine() % running.size()], running.back());
            limit.leave(running.back(), std::nullopt, now_);
            running.pop_back();
        } else if (!waiting.empty()) {
            const auto chosen = std::next(waiting.begin(), static_cast<std::ptrdiff_t>(engine() % waiting.size()));
            ASSERT_TRUE(limit.cancel(chosen->second, chosen->first));
            waiting.erase(chosen);
        }
        while (const auto turn = limit.next_turn(now_)) {
            ASSERT_EQ(waiting.erase(turn->ticket), 1U);
            running.push_back(turn->admission);
        }
        ASSERT_EQ(limit.in_flight(), running.size());
        ASSERT_EQ(limit.queued(), waiting.size());
        ASSERT_LE(running.size(), 3U);
        ASSERT_LE(waiting.size(), 6U);
        ASSERT_TRUE(waiting.empty() || running.size() == 3U) << "nobody waits beside a free place";
    }
}

}  // namespace
}  // namespace resilience
