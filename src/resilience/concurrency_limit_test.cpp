#include "resilience/concurrency_limit.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>

#include <gtest/gtest.h>

namespace resilience {
namespace {

TEST(ConcurrencyLimit, admits_then_queues_then_refuses) {
    ConcurrencyLimit limit(2, 1);
    EXPECT_EQ(limit.try_acquire().kind, Entry::Kind::admitted);
    EXPECT_EQ(limit.try_acquire().kind, Entry::Kind::admitted);
    EXPECT_EQ(limit.try_acquire().kind, Entry::Kind::queued);
    EXPECT_EQ(limit.try_acquire().kind, Entry::Kind::refused);
    EXPECT_EQ(limit.in_flight(), 2U);
    EXPECT_EQ(limit.queued(), 1U);
    EXPECT_EQ(limit.refused_total(), 1U);
}

TEST(ConcurrencyLimit, gives_a_free_place_to_whoever_waited_longest) {
    ConcurrencyLimit limit(1, 5);
    (void)limit.try_acquire();
    const Entry first = limit.try_acquire();
    const Entry second = limit.try_acquire();
    EXPECT_EQ(limit.release(), first.ticket);
    EXPECT_EQ(limit.in_flight(), 1U) << "the place went on to the first";
    EXPECT_EQ(limit.release(), second.ticket);
    EXPECT_EQ(limit.release(), std::nullopt);
    EXPECT_EQ(limit.in_flight(), 0U);
}

TEST(ConcurrencyLimit, skips_whoever_no_longer_waits) {
    ConcurrencyLimit limit(1, 5);
    (void)limit.try_acquire();
    const Entry first = limit.try_acquire();
    const Entry second = limit.try_acquire();
    EXPECT_TRUE(limit.cancel(first.ticket));
    EXPECT_FALSE(limit.cancel(first.ticket));
    EXPECT_EQ(limit.release(), second.ticket);
    EXPECT_FALSE(limit.cancel(second.ticket)) << "it holds a place now";
}

TEST(ConcurrencyLimit, refuses_at_once_without_a_queue) {
    ConcurrencyLimit limit(1, 0);
    EXPECT_EQ(limit.try_acquire().kind, Entry::Kind::admitted);
    EXPECT_EQ(limit.try_acquire().kind, Entry::Kind::refused);
}

TEST(ConcurrencyLimit, lets_nobody_overtake_the_queue_when_the_limit_rises) {
    ConcurrencyLimit limit(1, 5);
    (void)limit.try_acquire();
    const Entry first = limit.try_acquire();
    const Entry second = limit.try_acquire();
    limit.set_limit(3);
    const Entry third = limit.try_acquire();
    EXPECT_EQ(third.kind, Entry::Kind::queued);
    EXPECT_EQ(limit.wake_next(), first.ticket);
    EXPECT_EQ(limit.wake_next(), second.ticket);
    EXPECT_EQ(limit.wake_next(), std::nullopt);
}

TEST(ConcurrencyLimit, drains_to_a_lower_limit_before_waking_anyone) {
    ConcurrencyLimit limit(3, 5);
    for (int call = 0; call < 3; ++call) {
        (void)limit.try_acquire();
    }
    const Entry waiting = limit.try_acquire();
    limit.set_limit(1);
    EXPECT_EQ(limit.release(), std::nullopt);
    EXPECT_EQ(limit.release(), std::nullopt);
    EXPECT_EQ(limit.release(), waiting.ticket);
}

TEST(ConcurrencyLimit, loses_no_place_and_keeps_the_order_under_random_use) {
    std::mt19937_64 engine(7);
    ConcurrencyLimit limit(3, 4);
    std::deque<Ticket> waiting;
    std::size_t running = 0;
    const auto woken = [&](std::optional<Ticket> ticket) {
        if (ticket) {
            ASSERT_FALSE(waiting.empty());
            ASSERT_EQ(*ticket, waiting.front());
            waiting.pop_front();
            ++running;
        }
    };
    for (int step = 0; step < 20'000; ++step) {
        const std::uint64_t choice = engine() % 8;
        if (choice < 4) {
            const Entry entry = limit.try_acquire();
            running += entry.kind == Entry::Kind::admitted ? 1 : 0;
            if (entry.kind == Entry::Kind::queued) {
                waiting.push_back(entry.ticket);
            }
        } else if (choice < 6 && running > 0) {
            --running;
            woken(limit.release());
        } else if (choice == 6 && !waiting.empty()) {
            const auto chosen = waiting.begin() + static_cast<std::ptrdiff_t>(engine() % waiting.size());
            ASSERT_TRUE(limit.cancel(*chosen));
            waiting.erase(chosen);
        } else if (choice == 7) {
            limit.set_limit(1 + engine() % 5);
            while (const auto ticket = limit.wake_next()) {
                woken(ticket);
            }
        }
        ASSERT_EQ(limit.in_flight(), running);
        ASSERT_EQ(limit.queued(), waiting.size());
        ASSERT_LE(waiting.size(), 4U);
        ASSERT_TRUE(waiting.empty() || running >= limit.limit()) << "nobody waits beside a free place";
    }
}

}  // namespace
}  // namespace resilience
