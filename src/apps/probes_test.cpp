#include "apps/probes.hpp"

#include <filesystem>
#include <future>
#include <utility>

#include "net/testing/worker_fixture.hpp"
#include "storage/testing/temporary_folder.hpp"

#include <gtest/gtest.h>

namespace apps {
namespace {

using namespace std::chrono_literals;
using net::testing::call_on;
using net::testing::start_on;

// A task gives a result; whoever only waits gives this.
base::Task<bool> rest_until(WorkerSleeper& sleeper, base::MonotonicTime time) {
    co_await sleeper.wait_until(time);
    co_return true;
}

class SleeperTest : public net::testing::WorkerFixture {
protected:
    // Starts to sleep, and has begun to when this returns.
    std::future<bool> sleeper_until(base::MonotonicTime time) {
        std::future<bool> sleeper = start_on(worker, rest_until(sleeper_, time));
        call_on(worker, [] { return true; });
        return sleeper;
    }

    static bool wakes(std::future<bool> sleeper) {
        return sleeper.wait_for(10s) == std::future_status::ready;
    }

    WorkerSleeper sleeper_{worker};
};

TEST_F(SleeperTest, wakes_everybody_at_once_and_lets_nobody_sleep_again) {
    const base::MonotonicTime far = base::SystemClock().now() + 1h;
    std::future<bool> first = sleeper_until(far);
    std::future<bool> second = sleeper_until(far);

    call_on(worker, [this] {
        sleeper_.wake_all();
        return true;
    });

    EXPECT_TRUE(wakes(std::move(first)));
    EXPECT_TRUE(wakes(std::move(second)));
    EXPECT_TRUE(wakes(sleeper_until(far)));
}

TEST_F(SleeperTest, wakes_by_itself_when_the_time_has_come) {
    EXPECT_TRUE(wakes(sleeper_until(base::SystemClock().now())));
}

class StoreProbeTest : public net::testing::WorkerFixture {
public:
    ~StoreProbeTest() override {
        pool.join();
    }

protected:
    health::ProbeResult probe(base::Duration deadline = 10s) {
        StoreProbe one(worker, pool, *database, deadline);
        return run(one.run());
    }

    storage::testing::TemporaryFolder folder;
    std::unique_ptr<storage::SqliteDatabase> database = std::move(storage::open_database(folder.path()).value());
    net::BlockingPool pool{1, 4};
};

TEST_F(StoreProbeTest, passes_when_the_store_can_be_written) {
    const health::ProbeResult result = probe();

    EXPECT_TRUE(result.passed);
    EXPECT_TRUE(result.error.empty());
}

TEST_F(StoreProbeTest, tells_what_is_wrong_with_the_store) {
    std::filesystem::remove(storage::database_file(folder.path()));

    const health::ProbeResult result = probe();

    EXPECT_FALSE(result.passed);
    EXPECT_EQ(result.kind, "store");
    EXPECT_NE(result.error.find("moved or deleted"), std::string::npos) << result.error;
}

// The disk that hangs: the pool's one thread is busy until the test lets it go.
TEST_F(StoreProbeTest, is_late_when_the_disk_does_not_answer) {
    std::promise<void> disk_answers;
    const auto hanging = [answers = disk_answers.get_future().share()]() -> base::Result<void> {
        answers.wait();
        return {};
    };
    auto stuck = start_on(worker, pool.run(worker, 1h, hanging));
    call_on(worker, [] { return true; });

    const health::ProbeResult result = probe(1ms);

    EXPECT_FALSE(result.passed);
    EXPECT_EQ(result.kind, health::kTimeout);
    disk_answers.set_value();
    EXPECT_TRUE(stuck.get());
}

}  // namespace
}  // namespace apps
