#include "net/blocking_pool.hpp"

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "net/testing/worker_fixture.hpp"

#include <gtest/gtest.h>

namespace net {
namespace {

using namespace std::chrono_literals;
using testing::call_on;
using testing::start_on;

using Number = base::Result<int>;

class BlockingPoolTest : public testing::WorkerFixture {
protected:
    ~BlockingPoolTest() override {
        release();
        pool_.join();
    }

    base::Task<Number> run_blocked(base::Duration limit) {
        return pool_.run(worker, limit, [this]() -> Number {
            is_released_.wait(false);
            return 1;
        });
    }

    void release() {
        is_released_ = true;
        is_released_.notify_all();
    }

    static Number seven() {
        return 7;
    }

    std::atomic<bool> is_released_{false};
    BlockingPool pool_{2, 2};
};

TEST_F(BlockingPoolTest, gives_the_jobs_result) {
    EXPECT_EQ(run(pool_.run(worker, 5s, seven)).value(), 7);
}

TEST_F(BlockingPoolTest, gives_the_jobs_error) {
    const Number result =
        run(pool_.run(worker, 5s, []() -> Number { return base::fail(base::Code::data_loss, "damaged"); }));

    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, base::Code::data_loss);
    EXPECT_EQ(result.error().message, "damaged");
}

TEST_F(BlockingPoolTest, turns_an_exception_of_the_job_into_an_error) {
    const Number result = run(pool_.run(worker, 5s, []() -> Number { throw std::runtime_error("on purpose"); }));

    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, base::Code::internal);
    EXPECT_EQ(result.error().message, "on purpose");
}

base::Task<std::pair<std::thread::id, std::thread::id>> threads_of_job_and_caller(BlockingPool& pool, Worker& worker) {
    const auto of_job =
        co_await pool.run(worker, 5s, []() -> base::Result<std::thread::id> { return std::this_thread::get_id(); });
    co_return std::pair(*of_job, std::this_thread::get_id());
}

TEST_F(BlockingPoolTest, runs_the_job_elsewhere_and_resumes_the_caller_on_its_worker) {
    const std::thread::id own = call_on(worker, [] { return std::this_thread::get_id(); });

    const auto [of_job, of_caller] = run(threads_of_job_and_caller(pool_, worker));

    EXPECT_NE(of_job, own);
    EXPECT_EQ(of_caller, own);
}

TEST_F(BlockingPoolTest, moves_jobs_and_results_that_can_not_be_copied) {
    using Owned = base::Result<std::unique_ptr<std::string>>;
    auto input = std::make_unique<std::string>("moved");

    const Owned result =
        run(pool_.run(worker, 5s, [text = std::move(input)]() mutable -> Owned { return std::move(text); }));

    ASSERT_TRUE(result);
    EXPECT_EQ(**result, "moved");
}

TEST_F(BlockingPoolTest, refuses_at_once_beyond_its_capacity_and_has_room_again_afterwards) {
    auto first = start_on(worker, run_blocked(5s));
    auto second = start_on(worker, run_blocked(5s));

    const Number refused = run(pool_.run(worker, 5s, seven));

    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::Code::exhausted);
    release();
    EXPECT_EQ(first.get().value(), 1);
    EXPECT_EQ(second.get().value(), 1);
    EXPECT_EQ(run(pool_.run(worker, 5s, seven)).value(), 7);
}

TEST_F(BlockingPoolTest, gives_up_on_a_job_that_takes_too_long_but_keeps_its_place_until_it_ends) {
    auto held = start_on(worker, run_blocked(5s));

    const Number late = run(run_blocked(1ms));

    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, base::Code::deadline_exceeded);
    EXPECT_EQ(run(pool_.run(worker, 5s, seven)).error().code, base::Code::exhausted);
    EXPECT_FALSE(pool_.is_idle());
    release();
    EXPECT_EQ(held.get().value(), 1);
    pool_.join();
    EXPECT_TRUE(pool_.is_idle());
}

TEST_F(BlockingPoolTest, join_waits_for_what_runs) {
    auto running = start_on(worker, run_blocked(5s));
    call_on(worker, [] {});

    release();
    pool_.join();

    EXPECT_EQ(running.get().value(), 1);
}

}  // namespace
}  // namespace net
