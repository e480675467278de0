#include "net/worker.hpp"

#include <future>
#include <stdexcept>
#include <thread>

#include "net/testing/worker_fixture.hpp"

#include <gtest/gtest.h>

namespace net {
namespace {

using namespace std::chrono_literals;
using testing::call_on;

class WorkerTest : public testing::WorkerFixture {};

TEST_F(WorkerTest, runs_what_is_posted_on_one_thread_in_order) {
    std::vector<int> order;
    const std::thread::id first = call_on(worker, [] { return std::this_thread::get_id(); });
    for (int i = 0; i < 5; ++i) {
        worker.post([&order, i] { order.push_back(i); });
    }
    const std::thread::id second = call_on(worker, [] { return std::this_thread::get_id(); });

    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
    EXPECT_EQ(first, second);
    EXPECT_NE(first, std::this_thread::get_id());
}

TEST_F(WorkerTest, tells_the_time_of_its_clock_and_its_place) {
    const base::MonotonicTime before = worker.now();
    clock.advance(5s);

    EXPECT_EQ(worker.now() - before, 5s);
    EXPECT_EQ(worker.index(), 0U);
}

TEST_F(WorkerTest, lets_deadlines_pass) {
    std::promise<void> fired;
    std::unique_ptr<Deadline> deadline;
    call_on(worker, [&] {
        deadline = std::make_unique<Deadline>(worker.deadlines(), [&fired] { fired.set_value(); });
        deadline->set(worker.now() + 1s);
    });

    clock.advance(1s + DeadlineWheel::kTick);

    fired.get_future().get();
    call_on(worker, [&] { deadline.reset(); });
}

TEST_F(WorkerTest, goes_on_after_an_exception_escapes_a_handler) {
    worker.post([] { throw std::runtime_error("on purpose"); });

    EXPECT_EQ(call_on(worker, [] { return 1; }), 1);
}

TEST_F(WorkerTest, goes_on_with_deadlines_after_one_of_them_throws) {
    std::promise<void> fired;
    std::unique_ptr<Deadline> broken;
    std::unique_ptr<Deadline> good;
    call_on(worker, [&] {
        broken = std::make_unique<Deadline>(worker.deadlines(), [] { throw std::runtime_error("on purpose"); });
        good = std::make_unique<Deadline>(worker.deadlines(), [&fired] { fired.set_value(); });
        broken->set(worker.now() + 1s);
        good->set(worker.now() + 2s);
    });
    clock.advance(1s + DeadlineWheel::kTick);
    clock.advance(1s + DeadlineWheel::kTick);

    EXPECT_EQ(fired.get_future().wait_for(5s), std::future_status::ready);
    call_on(worker, [&] {
        broken.reset();
        good.reset();
    });
}

TEST_F(WorkerTest, stops_although_something_is_pending) {
    worker.post([this] { worker.post([] {}); });
    worker.stop();
    worker.stop();
}

}  // namespace
}  // namespace net
