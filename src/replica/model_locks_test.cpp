#include "replica/model_locks.hpp"

#include <string>
#include <vector>

#include "net/testing/run_on.hpp"

#include <gtest/gtest.h>

namespace replica {
namespace {

const registry::ModelKey kModel{"", "m"};
const registry::ModelKey kOther{"", "n"};

// Somebody who wants the lock, and what came of it.
struct Caller {
    ModelLocks::Wait wait{};
    std::optional<base::Result<ModelLocks::Held>> answer{};

    [[nodiscard]] bool has_lock() const {
        return answer && answer->has_value();
    }
};

base::Task<> take(
    ModelLocks& locks, net::Worker& worker, registry::ModelKey key, base::Duration patience, Caller& caller) {
    base::Result<ModelLocks::Held> held = co_await locks.lock(worker, key, worker.now() + patience, caller.wait);
    caller.answer.emplace(std::move(held));
}

class ModelLocksTest : public ::testing::Test {
protected:
    void take_lock(Caller& caller,
                   const registry::ModelKey& key = kModel,
                   base::Duration patience = std::chrono::hours(1)) {
        worker_.tasks().spawn("take", take(locks_, worker_, key, patience, caller));
        worker_.context().poll();
    }

    void settle() {
        worker_.context().poll();
    }

    base::SystemClock clock_;
    ModelLocks locks_;
    net::Worker worker_{"locks", 0, clock_};
};

TEST_F(ModelLocksTest, lets_one_writer_of_a_model_in_at_a_time_in_order) {
    Caller first;
    Caller second;
    Caller third;
    take_lock(first);
    take_lock(second);
    take_lock(third);
    EXPECT_TRUE(first.has_lock());
    EXPECT_FALSE(second.answer);
    EXPECT_EQ(locks_.waiting(), 2U);

    first.answer.reset();
    settle();
    EXPECT_TRUE(second.has_lock());
    EXPECT_FALSE(third.answer);

    second.answer.reset();
    settle();
    EXPECT_TRUE(third.has_lock());
    EXPECT_EQ(locks_.waiting(), 0U);
}

TEST_F(ModelLocksTest, keeps_other_models_out_of_it) {
    Caller first;
    Caller other;
    Caller elsewhere;
    take_lock(first);
    take_lock(other, kOther);
    take_lock(elsewhere, {"workspace", "m"});
    EXPECT_TRUE(other.has_lock());
    EXPECT_TRUE(elsewhere.has_lock());
}

TEST_F(ModelLocksTest, lets_a_waiting_caller_leave) {
    Caller first;
    Caller leaving;
    Caller last;
    take_lock(first);
    take_lock(leaving);
    take_lock(last);

    leaving.wait.cancel();
    settle();
    ASSERT_TRUE(leaving.answer);
    EXPECT_EQ(leaving.answer->error().code, base::Code::cancelled);
    EXPECT_EQ(locks_.waiting(), 1U);

    first.answer.reset();
    settle();
    EXPECT_TRUE(last.has_lock());
}

TEST_F(ModelLocksTest, passes_on_a_turn_that_came_to_one_who_leaves) {
    Caller first;
    Caller leaving;
    Caller last;
    take_lock(first);
    take_lock(leaving);
    take_lock(last);

    first.answer.reset();
    leaving.wait.cancel();
    settle();
    EXPECT_FALSE(leaving.has_lock());
    EXPECT_TRUE(last.has_lock());
}

TEST_F(ModelLocksTest, gives_up_in_time) {
    Caller first;
    Caller impatient;
    take_lock(first);
    take_lock(impatient, kModel, base::Duration(0));
    while (!impatient.answer) {
        worker_.context().run_one();
    }
    EXPECT_EQ(impatient.answer->error().code, base::Code::exhausted);
    EXPECT_EQ(locks_.waiting(), 0U);
}

TEST_F(ModelLocksTest, bounds_how_many_wait) {
    std::vector<Caller> callers(ModelLocks::kMaxWaiting + 2);
    for (Caller& caller : callers) {
        take_lock(caller);
    }
    ASSERT_TRUE(callers.back().answer);
    EXPECT_EQ(callers.back().answer->error().code, base::Code::exhausted);
    EXPECT_EQ(locks_.waiting(), ModelLocks::kMaxWaiting);
    for (Caller& caller : callers) {
        caller.wait.cancel();
    }
    settle();
}

// Keeps its wait to itself, as calls do: nothing of it outlives its worker.
base::Task<> take_alone(ModelLocks& locks, net::Worker& worker) {
    ModelLocks::Wait wait;
    const base::Result<ModelLocks::Held> held =
        co_await locks.lock(worker, kModel, worker.now() + std::chrono::hours(1), wait);
}

TEST_F(ModelLocksTest, forgets_a_waiting_caller_that_is_destroyed) {
    Caller first;
    take_lock(first);
    {
        net::Worker ending("ending", 1, clock_);
        ending.tasks().spawn("take", take_alone(locks_, ending));
        ending.context().poll();
        EXPECT_EQ(locks_.waiting(), 1U);
    }
    EXPECT_EQ(locks_.waiting(), 0U);
    first.answer.reset();
    Caller next;
    take_lock(next);
    EXPECT_TRUE(next.has_lock());
}

base::Task<> add_up(ModelLocks& locks, net::Worker& worker, int times, int& unguarded) {
    for (int i = 0; i < times; ++i) {
        ModelLocks::Wait wait;
        const base::Result<ModelLocks::Held> held =
            co_await locks.lock(worker, kModel, worker.now() + std::chrono::hours(1), wait);
        const int before = unguarded;
        co_await net::resume_on(worker);
        unguarded = before + 1;
    }
}

TEST(ModelLocks, guard_across_workers) {
    constexpr int kTimes = 500;
    const base::SystemClock clock;
    ModelLocks locks;
    net::Worker one("one", 0, clock);
    net::Worker two("two", 1, clock);
    one.start();
    two.start();
    int count = 0;
    auto first = net::testing::start_on(one, add_up(locks, one, kTimes, count));
    auto second = net::testing::start_on(two, add_up(locks, two, kTimes, count));
    first.get();
    second.get();
    one.stop();
    two.stop();
    EXPECT_EQ(count, 2 * kTimes);
}

}  // namespace
}  // namespace replica
