#include "net/task_group.hpp"

#include <future>
#include <stdexcept>

#include "net/testing/run_on.hpp"
#include "net/testing/shared_clock.hpp"
#include "net/use_task.hpp"

#include <boost/asio/steady_timer.hpp>
#include <gtest/gtest.h>

namespace net {
namespace {

using namespace std::chrono_literals;
using testing::run_here;
using testing::start_on;

class TaskGroupTest : public ::testing::Test {
protected:
    ~TaskGroupTest() override {
        let_go();
        static_cast<void>(run_here(worker_, group_.wait_until_empty(1s)));
    }

    base::Task<> wait_to_be_let_go() {
        co_await gate_.async_wait(use_task);
        ++ended_;
    }

    void let_go() {
        gate_.cancel();
    }

    testing::SharedClock clock_;
    Worker worker_{"test", 0, clock_};
    TaskGroup group_{worker_.context()};
    boost::asio::steady_timer gate_{worker_.context(), 1h};
    int ended_ = 0;
};

base::Task<> fail_for_task_group() {
    throw std::runtime_error("on purpose");
    co_return;
}

TEST_F(TaskGroupTest, is_empty_at_first_and_does_not_wait_then) {
    EXPECT_EQ(group_.size(), 0U);
    EXPECT_TRUE(run_here(worker_, group_.wait_until_empty(1h)));
}

TEST_F(TaskGroupTest, counts_the_tasks_that_run) {
    group_.spawn("one", wait_to_be_let_go());
    group_.spawn("two", wait_to_be_let_go());
    worker_.context().poll();
    EXPECT_EQ(group_.size(), 2U);

    let_go();
    worker_.context().poll();

    EXPECT_EQ(group_.size(), 0U);
    EXPECT_EQ(ended_, 2);
}

TEST_F(TaskGroupTest, waits_for_the_last_task) {
    group_.spawn("one", wait_to_be_let_go());
    std::future<bool> is_empty = start_on(worker_, group_.wait_until_empty(1h));
    worker_.context().poll();
    EXPECT_EQ(is_empty.wait_for(0s), std::future_status::timeout);

    let_go();
    worker_.context().poll();

    ASSERT_EQ(is_empty.wait_for(0s), std::future_status::ready);
    EXPECT_TRUE(is_empty.get());
}

TEST_F(TaskGroupTest, says_at_the_limit_that_tasks_are_left) {
    group_.spawn("one", wait_to_be_let_go());

    EXPECT_FALSE(run_here(worker_, group_.wait_until_empty(1ms)));
    EXPECT_EQ(group_.size(), 1U);
}

TEST_F(TaskGroupTest, survives_an_exception_that_escapes_a_task) {
    group_.spawn("broken", fail_for_task_group());

    EXPECT_TRUE(run_here(worker_, group_.wait_until_empty(1s)));
    EXPECT_EQ(group_.size(), 0U);
}

}  // namespace
}  // namespace net
