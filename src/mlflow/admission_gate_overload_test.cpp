// Who gets a place, and who is told at once that there will be none.
#include <deque>

#include "mlflow/testing/gate_fixture.hpp"

namespace mlflow {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

using AdmissionGateOverload = AdmissionGateTest;

TEST_F(AdmissionGateOverload, serves_a_modest_caller_before_the_crowd_of_a_greedy_one) {
    AdmissionGate gate({2, 2, 16});
    std::deque<GateCaller> greedy(8);
    for (GateCaller& caller : greedy) {
        enter(gate, caller);
    }
    GateCaller modest{.id = kModest};
    enter(gate, modest);
    EXPECT_FALSE(modest.answer);

    greedy[0].leave();
    settle();
    EXPECT_TRUE(modest.is_in());
    EXPECT_FALSE(greedy[2].answer);
    send_away(gate);
}

TEST_F(AdmissionGateOverload, lets_the_crowds_newest_call_make_room_in_a_full_queue) {
    AdmissionGate gate({1, 1, 2});
    std::deque<GateCaller> greedy(3);
    for (GateCaller& caller : greedy) {
        enter(gate, caller);
    }
    GateCaller modest{.id = kModest};
    enter(gate, modest);

    EXPECT_TRUE(greedy[2].is_refused());
    EXPECT_FALSE(greedy[1].answer);
    EXPECT_FALSE(modest.answer);
    EXPECT_EQ(figures(gate).refused_for(GateRefusal::queue_full), 1U);
    EXPECT_EQ(figures(gate).queued, 2U);

    greedy[0].leave();
    settle();
    greedy[1].leave();
    settle();
    EXPECT_TRUE(modest.is_in());
    modest.leave();
    EXPECT_EQ(figures(gate).in_flight, 0U);
}

TEST_F(AdmissionGateOverload, refuses_at_once_whoever_would_wait_in_vain) {
    AdmissionGate gate({1, 1, 64});
    std::deque<GateCaller> callers(21);
    for (GateCaller& caller : callers) {
        enter(gate, caller);
    }
    for (std::size_t turn = 0; turn < 10; ++turn) {
        clock_.advance(seconds(1));
        callers[turn].leave();
        settle();
        ASSERT_TRUE(callers[turn + 1].is_in());
    }

    GateCaller hopeless;
    GateCaller patient;
    enter(gate, hopeless, seconds(5));
    enter(gate, patient, seconds(60));

    EXPECT_TRUE(hopeless.is_refused());
    EXPECT_FALSE(hopeless.wait.has_queued());
    EXPECT_FALSE(patient.answer);
    EXPECT_EQ(figures(gate).refused_for(GateRefusal::hopeless), 1U);
    EXPECT_GE(figures(gate).time_to_drain, seconds(11));
    send_away(gate);
}

TEST_F(AdmissionGateOverload, turns_everybody_away_and_says_why) {
    AdmissionGate gate({1, 1, 8});
    GateCaller holder;
    GateCaller waiting;
    GateCaller impatient;
    enter(gate, holder);
    enter(gate, impatient, -seconds(1));
    enter(gate, waiting);
    gate.turn_away_waiting();
    settle();

    EXPECT_TRUE(waiting.is_refused());
    EXPECT_TRUE(impatient.is_refused());
    EXPECT_EQ(figures(gate).refused_for(GateRefusal::breaker_open), 1U);
    EXPECT_EQ(figures(gate).refused_for(GateRefusal::timed_out), 1U);
    EXPECT_EQ(figures(gate).queued, 0U);
}

TEST_F(AdmissionGateOverload, lowers_its_limit_when_calls_are_dropped) {
    AdmissionGate gate({4, 8, 8});
    for (int call = 0; call < 20; ++call) {
        GateCaller caller;
        enter(gate, caller);
        clock_.advance(milliseconds(200));
        caller.answer->value().release(resilience::CallResult{.was_dropped = true});
    }
    EXPECT_EQ(figures(gate).limit, 4U);
}

TEST_F(AdmissionGateOverload, admits_beside_calls_that_have_run_for_long) {
    AdmissionGate gate({1, 2, 8});
    for (int call = 0; call < 20; ++call) {
        GateCaller caller;
        enter(gate, caller);
        clock_.advance(milliseconds(200));
        caller.answer->value().release(resilience::CallResult{.was_dropped = true});
    }
    ASSERT_EQ(figures(gate).limit, 1U);
    GateCaller search;
    GateCaller first;
    GateCaller second;
    enter(gate, search);
    enter(gate, first);
    EXPECT_FALSE(first.answer);

    clock_.advance(seconds(2));
    enter(gate, second);
    EXPECT_TRUE(first.is_in()) << "somebody who comes finds the free place for whose turn it is";
    EXPECT_FALSE(second.answer);
    search.leave();
    first.leave();
    settle();
    EXPECT_TRUE(second.is_in());
}

}  // namespace
}  // namespace mlflow
