#include <atomic>
#include <chrono>
#include <deque>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "mlflow/testing/gate_fixture.hpp"

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

namespace mlflow {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::seconds;

TEST_F(AdmissionGateTest, admits_up_to_its_limit_at_once_and_queues_the_rest) {
    AdmissionGate gate({2, 2, 1});
    GateCaller first;
    GateCaller second;
    GateCaller third;
    enter(gate, first);
    enter(gate, second);
    enter(gate, third);

    EXPECT_TRUE(first.is_in());
    EXPECT_TRUE(second.is_in());
    EXPECT_FALSE(third.answer);
    EXPECT_EQ(figures(gate).limit, 2U);
    EXPECT_EQ(figures(gate).in_flight, 2U);
    EXPECT_EQ(figures(gate).queued, 1U);
    EXPECT_EQ(figures(gate).refused_for(GateRefusal::queue_full), 0U);

    first.leave();
    settle();
    EXPECT_TRUE(third.is_in());
}

TEST_F(AdmissionGateTest, lets_a_caller_leave_the_queue_and_serves_the_next) {
    AdmissionGate gate({1, 1, 2});
    GateCaller holder;
    GateCaller leaving;
    GateCaller waiting;
    enter(gate, holder);
    enter(gate, leaving);
    enter(gate, waiting);
    EXPECT_FALSE(holder.wait.has_queued());
    EXPECT_TRUE(leaving.wait.has_queued());

    leaving.wait.cancel();
    settle();
    ASSERT_TRUE(leaving.answer && !leaving.is_in());
    EXPECT_EQ(leaving.answer->error().code, base::Code::cancelled);
    EXPECT_EQ(figures(gate).queued, 1U);

    holder.leave();
    settle();
    EXPECT_TRUE(waiting.is_in());
}

TEST_F(AdmissionGateTest, refuses_at_once_when_the_queue_is_full) {
    AdmissionGate gate({1, 1, 1});
    GateCaller holder;
    GateCaller waiting;
    GateCaller refused;
    enter(gate, holder);
    enter(gate, waiting);
    enter(gate, refused);

    ASSERT_TRUE(refused.answer && !refused.is_in());
    EXPECT_EQ(refused.answer->error().code, base::Code::exhausted);
    EXPECT_EQ(figures(gate).refused_for(GateRefusal::queue_full), 1U);
    EXPECT_EQ(figures(gate).queued, 1U);

    holder.leave();
    settle();
    EXPECT_TRUE(waiting.is_in());
    GateCaller later;
    enter(gate, later);
    EXPECT_FALSE(later.answer) << "there is room in the queue again";
    waiting.leave();
    settle();
}

TEST_F(AdmissionGateTest, without_a_queue_refuses_whoever_finds_no_place) {
    AdmissionGate gate({1, 1, 0});
    GateCaller holder;
    GateCaller refused;
    GateCaller later;
    enter(gate, holder);
    enter(gate, refused);
    EXPECT_TRUE(refused.answer && !refused.is_in());

    holder.leave();
    enter(gate, later);
    EXPECT_TRUE(later.is_in());
}

TEST_F(AdmissionGateTest, serves_in_the_order_of_arrival_and_lets_nobody_overtake) {
    AdmissionGate gate({1, 1, 8});
    GateCaller holder;
    enter(gate, holder);
    std::deque<GateCaller> waiting(4);
    for (GateCaller& caller : waiting) {
        enter(gate, caller);
    }

    GateCaller* inside = &holder;
    for (std::size_t turn = 0; turn < waiting.size(); ++turn) {
        inside->leave();
        EXPECT_EQ(figures(gate).in_flight, 1U) << "the place goes straight to the next in the queue";
        settle();
        for (std::size_t i = 0; i < waiting.size(); ++i) {
            EXPECT_EQ(waiting[i].is_in(), i <= turn) << turn;
        }
        inside = &waiting[turn];
    }
    inside->leave();
    EXPECT_EQ(figures(gate).in_flight, 0U);
}

TEST_F(AdmissionGateTest, makes_a_newcomer_wait_for_one_who_has_been_called_but_has_not_come) {
    AdmissionGate gate({1, 1, 8});
    GateCaller holder;
    GateCaller called;
    GateCaller newcomer;
    enter(gate, holder);
    enter(gate, called);
    holder.leave();
    enter(gate, newcomer);

    EXPECT_TRUE(called.is_in());
    EXPECT_FALSE(newcomer.answer);
    called.leave();
    settle();
    EXPECT_TRUE(newcomer.is_in());
}

TEST_F(AdmissionGateTest, gives_up_at_the_deadline_and_leaves_the_queue) {
    AdmissionGate gate({1, 1, 8});
    GateCaller holder;
    GateCaller impatient;
    GateCaller patient;
    enter(gate, holder);
    enter(gate, impatient, -seconds(1));
    enter(gate, patient);

    ASSERT_TRUE(impatient.answer && !impatient.is_in());
    EXPECT_EQ(impatient.answer->error().code, base::Code::exhausted);
    EXPECT_EQ(figures(gate).queued, 1U);
    EXPECT_EQ(figures(gate).in_flight, 1U);

    holder.leave();
    settle();
    EXPECT_TRUE(patient.is_in());
    patient.leave();
    EXPECT_EQ(figures(gate).in_flight, 0U);
}

TEST_F(AdmissionGateTest, admits_at_once_even_past_the_deadline) {
    AdmissionGate gate({1, 1, 8});
    GateCaller late;
    enter(gate, late, -seconds(1));
    EXPECT_TRUE(late.is_in());
}

TEST_F(AdmissionGateTest, loses_no_place_that_comes_in_the_moment_of_the_deadline) {
    // Whichever of expiry and hand-over runs first.
    for (const bool releases_before_expiry : {true, false}) {
        AdmissionGate gate({1, 1, 8});
        GateCaller holder;
        GateCaller waiting;
        enter(gate, holder);
        begin(gate, waiting, -seconds(1));
        if (!releases_before_expiry) {
            while (figures(gate).queued == 0) {
                worker_.context().poll_one();
            }
        }
        worker_.post([&holder] { holder.leave(); });
        settle();

        ASSERT_TRUE(waiting.is_in()) << releases_before_expiry;
        EXPECT_EQ(figures(gate).in_flight, 1U);
        waiting.leave();
        EXPECT_EQ(figures(gate).in_flight, 0U);
    }
}

TEST_F(AdmissionGateTest, gets_each_place_back_once) {
    AdmissionGate gate({2, 2, 0});
    GateCaller first;
    GateCaller second;
    enter(gate, first);
    enter(gate, second);
    {
        AdmissionGate::Place moved = std::move(first.answer->value());
        first.leave();
        EXPECT_EQ(figures(gate).in_flight, 2U) << "what was moved from holds nothing";
        moved.release();
        moved.release();
        EXPECT_EQ(figures(gate).in_flight, 1U);
    }
    EXPECT_EQ(figures(gate).in_flight, 1U);
    {
        const AdmissionGate::Place dropped = std::move(second.answer->value());
        EXPECT_EQ(figures(gate).in_flight, 1U);
    }
    EXPECT_EQ(figures(gate).in_flight, 0U);
}

TEST_F(AdmissionGateTest, gets_the_place_back_that_another_is_put_in_the_place_of) {
    AdmissionGate gate({2, 2, 0});
    GateCaller first;
    GateCaller second;
    enter(gate, first);
    enter(gate, second);

    first.answer->value() = std::move(second.answer->value());
    second.answer.reset();
    EXPECT_EQ(figures(gate).in_flight, 1U);
    first.answer.reset();
    EXPECT_EQ(figures(gate).in_flight, 0U);
}

constexpr seconds kTestPatience(20);  // reached only by a defect

base::Task<> hold_until(AdmissionGate& gate,
                        net::Worker& worker,
                        base::MonotonicTime give_up_at,
                        std::promise<AdmissionGate::Place>& entered) {
    AdmissionGate::Wait wait;
    base::Result<AdmissionGate::Place> place = co_await gate.enter(worker, kGreedy, give_up_at, wait);
    entered.set_value(std::move(*place));
}

base::Task<> note_thread(AdmissionGate& gate,
                         net::Worker& worker,
                         base::MonotonicTime give_up_at,
                         std::promise<std::thread::id>& thread) {
    AdmissionGate::Wait wait;
    const base::Result<AdmissionGate::Place> place = co_await gate.enter(worker, kGreedy, give_up_at, wait);
    thread.set_value(place ? std::this_thread::get_id() : std::thread::id());
}

TEST(AdmissionGateThreads, hand_a_place_over_to_a_call_on_its_own_worker) {
    const base::SystemClock clock;
    const base::MonotonicTime give_up_at = clock.now() + hours(1);
    AdmissionGate gate({1, 1, 8});
    std::promise<AdmissionGate::Place> entered;
    std::promise<std::thread::id> woken_on;
    std::promise<std::thread::id> second_runs_on;
    net::Worker first("first", 0, clock);
    net::Worker second("second", 1, clock);
    first.start();
    second.start();
    second.post([&second_runs_on] { second_runs_on.set_value(std::this_thread::get_id()); });

    first.post([&] { first.tasks().spawn("hold", hold_until(gate, first, give_up_at, entered)); });
    std::future<AdmissionGate::Place> held = entered.get_future();
    ASSERT_EQ(held.wait_for(kTestPatience), std::future_status::ready);
    std::promise<void> queued;
    second.post([&] {
        second.tasks().spawn("wait", note_thread(gate, second, give_up_at, woken_on));
        boost::asio::post(second.context(), [&queued] { queued.set_value(); });
    });
    ASSERT_EQ(queued.get_future().wait_for(kTestPatience), std::future_status::ready);
    EXPECT_EQ(gate.figures(clock.now()).queued, 1U);

    std::promise<void> released;
    first.post([place = std::make_shared<AdmissionGate::Place>(held.get()), &released]() mutable {
        place.reset();
        released.set_value();
    });
    ASSERT_EQ(released.get_future().wait_for(kTestPatience), std::future_status::ready);
    std::future<std::thread::id> woken = woken_on.get_future();
    ASSERT_EQ(woken.wait_for(kTestPatience), std::future_status::ready);
    EXPECT_EQ(woken.get(), second_runs_on.get_future().get());
    second.stop();
    EXPECT_EQ(gate.figures(clock.now()).in_flight, 0U);
}

struct GateCrowd {
    AdmissionGate gate{{3, 3, 16}};
    std::atomic<int> inside{0};
    std::atomic<int> most_inside{0};
    std::atomic<int> admitted{0};
    std::atomic<int> turned_away{0};
    std::atomic<int> callers_left;
    std::promise<void> all_left;
};

// Enters again and again, every third time with hardly any patience.
base::Task<> come_and_go(GateCrowd& crowd, net::Worker& worker, int visits) {
    for (int visit = 0; visit < visits; ++visit) {
        const base::Duration patience = visit % 3 == 0 ? base::Duration(microseconds(20)) : base::Duration(hours(1));
        AdmissionGate::Wait wait;
        const base::Result<AdmissionGate::Place> place =
            co_await crowd.gate.enter(worker, kGreedy, worker.now() + patience, wait);
        if (!place) {
            crowd.turned_away.fetch_add(1);
            continue;
        }
        crowd.admitted.fetch_add(1);
        const int inside = crowd.inside.fetch_add(1) + 1;
        int most = crowd.most_inside.load();
        while (inside > most && !crowd.most_inside.compare_exchange_weak(most, inside)) {
        }
        co_await net::resume_on(worker);
        crowd.inside.fetch_sub(1);
    }
    if (crowd.callers_left.fetch_sub(1) == 1) {
        crowd.all_left.set_value();
    }
}

TEST(AdmissionGateThreads, keep_the_limit_and_lose_no_place_in_a_crowd_of_two_workers) {
    constexpr int kCallers = 12;
    constexpr int kVisits = 60;
    const base::SystemClock clock;
    GateCrowd crowd;
    crowd.callers_left = kCallers;
    net::Worker first("first", 0, clock);
    net::Worker second("second", 1, clock);
    for (int caller = 0; caller < kCallers; ++caller) {
        net::Worker& worker = caller % 2 == 0 ? first : second;
        worker.tasks().spawn("come and go", come_and_go(crowd, worker, kVisits));
    }
    first.start();
    second.start();

    ASSERT_EQ(crowd.all_left.get_future().wait_for(kTestPatience), std::future_status::ready);
    EXPECT_EQ(crowd.admitted + crowd.turned_away, kCallers * kVisits);
    EXPECT_GE(crowd.admitted, kCallers * kVisits * 2 / 3);
    EXPECT_LE(crowd.most_inside, 3);
    first.stop();
    second.stop();
    const AdmissionGate::Figures figures = crowd.gate.figures(clock.now());
    EXPECT_EQ(figures.in_flight, 0U);
    EXPECT_EQ(figures.queued, 0U);
    EXPECT_EQ(figures.refused_for(GateRefusal::queue_full), 0U) << "the queue holds all callers";
}

}  // namespace
}  // namespace mlflow
