#include "resilience/fair_queue.hpp"

#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace resilience {
namespace {

constexpr CallerId kGreedy = 1;
constexpr CallerId kModest = 2;
constexpr CallerId kOther = 3;

std::vector<CallerId> callers_in_turn(FairQueue& queue) {
    std::vector<CallerId> order;
    while (const auto turn = queue.pop()) {
        order.push_back(turn->caller);
    }
    return order;
}

void push(FairQueue& queue, CallerId caller, int calls) {
    for (int call = 0; call < calls; ++call) {
        ASSERT_TRUE(queue.push(caller));
    }
}

TEST(FairQueue, keeps_the_order_of_one_callers_calls) {
    FairQueue queue(8);
    std::vector<Ticket> pushed;
    for (int call = 0; call < 4; ++call) {
        pushed.push_back(queue.push(kGreedy)->ticket);
    }
    std::vector<Ticket> popped;
    while (const auto turn = queue.pop()) {
        popped.push_back(turn->ticket);
    }
    EXPECT_EQ(popped, pushed);
}

TEST(FairQueue, lets_callers_take_turns_however_many_calls_each_has) {
    FairQueue queue(16);
    push(queue, kGreedy, 5);
    push(queue, kModest, 2);
    push(queue, kOther, 1);
    EXPECT_EQ(callers_in_turn(queue),
              (std::vector<CallerId>{kGreedy, kModest, kOther, kGreedy, kModest, kGreedy, kGreedy, kGreedy}));
}

TEST(FairQueue, gives_the_turn_to_whoever_has_the_fewest_calls_under_way) {
    FairQueue queue(16);
    for (int call = 0; call < 3; ++call) {
        queue.begin(kGreedy);
    }
    push(queue, kGreedy, 3);
    push(queue, kModest, 3);
    std::vector<CallerId> order;
    while (const auto turn = queue.pop()) {
        order.push_back(turn->caller);
        queue.begin(turn->caller);
    }
    EXPECT_EQ(order, (std::vector<CallerId>{kModest, kModest, kModest, kGreedy, kGreedy, kGreedy}));
    for (int call = 0; call < 4; ++call) {
        queue.end(kGreedy);
    }
    push(queue, kModest, 1);
    push(queue, kGreedy, 1);
    EXPECT_EQ(callers_in_turn(queue), (std::vector<CallerId>{kGreedy, kModest}));
}

TEST(FairQueue, makes_the_longest_part_give_way_when_full) {
    FairQueue queue(4);
    push(queue, kGreedy, 3);
    const Ticket newest = queue.push(kGreedy)->ticket;

    EXPECT_FALSE(queue.push(kGreedy)) << "its own calls are the crowd";
    const auto first = queue.push(kModest);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->displaced, newest);
    EXPECT_EQ(queue.size(), 4U);
    EXPECT_TRUE(queue.push(kModest)->displaced);
    EXPECT_FALSE(queue.push(kModest)) << "two each: nobody has more";
    EXPECT_EQ(callers_in_turn(queue), (std::vector<CallerId>{kGreedy, kModest, kGreedy, kModest}));
}

TEST(FairQueue, displaces_nobody_for_a_call_that_would_make_the_same_crowd) {
    FairQueue queue(1);
    push(queue, kGreedy, 1);
    EXPECT_FALSE(queue.push(kModest));
    EXPECT_EQ(queue.pop()->caller, kGreedy);
}

TEST(FairQueue, has_no_places_without_capacity) {
    FairQueue queue(0);
    EXPECT_FALSE(queue.push(kModest));
    EXPECT_FALSE(queue.pop());
}

TEST(FairQueue, forgets_a_cancelled_call) {
    FairQueue queue(4);
    const Ticket first = queue.push(kGreedy)->ticket;
    const Ticket second = queue.push(kGreedy)->ticket;
    const Ticket modest = queue.push(kModest)->ticket;

    EXPECT_TRUE(queue.cancel({kGreedy, first}));
    EXPECT_FALSE(queue.cancel({kGreedy, first}));
    EXPECT_FALSE(queue.cancel({kGreedy, modest})) << "not its call";
    EXPECT_FALSE(queue.cancel({kOther, 99}));
    EXPECT_EQ(queue.pop()->ticket, second);
    EXPECT_TRUE(queue.cancel({kModest, modest}));
    EXPECT_FALSE(queue.pop());
    EXPECT_EQ(queue.size(), 0U);
}

TEST(FairQueue, counts_the_turns_before_a_new_call) {
    FairQueue queue(32);
    EXPECT_EQ(queue.turns_before(kModest), 0U);
    push(queue, kGreedy, 10);
    EXPECT_EQ(queue.turns_before(kGreedy), 10U);
    EXPECT_EQ(queue.turns_before(kModest), 1U) << "they take turns";
    push(queue, kOther, 2);
    push(queue, kModest, 3);
    EXPECT_EQ(queue.turns_before(kModest), 3U + 4U + 2U);
}

TEST(FairQueue, remembers_a_bounded_number_of_callers_and_all_that_matter) {
    FairQueue queue(4);
    queue.begin(kGreedy);
    const Ticket waiting = queue.push(kModest)->ticket;
    for (CallerId caller = 100; caller < 100'100; ++caller) {
        queue.begin(caller);
        queue.end(caller);
    }
    queue.end(kGreedy);
    EXPECT_EQ(queue.pop()->ticket, waiting);
    EXPECT_LE(queue.remembered(), 1100U);
}

TEST(FairQueue, loses_nobody_and_keeps_its_bound_under_random_use) {
    constexpr std::size_t kCapacity = 12;
    std::mt19937_64 engine(11);
    FairQueue queue(kCapacity);
    std::map<Ticket, CallerId> waiting;
    std::vector<CallerId> under_way;
    for (int step = 0; step < 50'000; ++step) {
        const CallerId caller = engine() % 5;
        const std::uint64_t choice = engine() % 8;
        if (choice < 4) {
            if (const auto queued = queue.push(caller)) {
                waiting.emplace(queued->ticket, caller);
                if (queued->displaced) {
                    ASSERT_EQ(waiting.erase(*queued->displaced), 1U);
                }
            } else {
                ASSERT_EQ(waiting.size(), kCapacity);
            }
        } else if (choice < 6) {
            const auto turn = queue.pop();
            ASSERT_EQ(turn.has_value(), !waiting.empty());
            if (turn) {
                const auto found = waiting.find(turn->ticket);
                ASSERT_NE(found, waiting.end());
                ASSERT_EQ(found->second, turn->caller);
                waiting.erase(found);
                queue.begin(turn->caller);
                under_way.push_back(turn->caller);
            }
        } else if (choice == 6 && !waiting.empty()) {
            const auto found = std::next(waiting.begin(), static_cast<std::ptrdiff_t>(engine() % waiting.size()));
            ASSERT_TRUE(queue.cancel({found->second, found->first}));
            waiting.erase(found);
        } else if (!under_way.empty()) {
            queue.end(under_way.back());
            under_way.pop_back();
        }
        ASSERT_EQ(queue.size(), waiting.size());
        ASSERT_LE(queue.size(), kCapacity);
    }
}

}  // namespace
}  // namespace resilience
