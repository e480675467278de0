#include "net/deadline.hpp"

#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class DeadlineTest : public ::testing::Test {
protected:
    void advance(base::Duration duration) {
        now_ += duration;
        wheel_.advance(now_);
    }

    base::MonotonicTime now_{seconds(1000)};
    DeadlineWheel wheel_{now_};
    int fired_ = 0;
};

TEST_F(DeadlineTest, fires_once_within_a_tick_of_its_time) {
    Deadline deadline(wheel_, [this] { ++fired_; });
    deadline.set(now_ + milliseconds(200));

    advance(milliseconds(199));
    EXPECT_EQ(fired_, 0);
    advance(milliseconds(1) + DeadlineWheel::kTick);
    EXPECT_EQ(fired_, 1);
    EXPECT_TRUE(deadline.has_expired());
    advance(seconds(60));
    EXPECT_EQ(fired_, 1);
}

TEST_F(DeadlineTest, can_be_moved_later_earlier_and_cleared) {
    Deadline deadline(wheel_, [this] { ++fired_; });
    deadline.set(now_ + seconds(1));
    deadline.set(now_ + seconds(30));
    advance(seconds(2));
    EXPECT_EQ(fired_, 0);

    deadline.set(now_ + milliseconds(100));
    advance(milliseconds(200));
    EXPECT_EQ(fired_, 1);

    deadline.set(now_ + milliseconds(100));
    EXPECT_FALSE(deadline.has_expired());
    deadline.clear();
    advance(seconds(30));
    EXPECT_EQ(fired_, 1);
    EXPECT_TRUE(wheel_.is_empty());
}

TEST_F(DeadlineTest, holds_beyond_the_horizon_of_the_wheel) {
    Deadline deadline(wheel_, [this] { ++fired_; });
    deadline.set(now_ + seconds(110));

    for (int i = 0; i < 109; ++i) {
        advance(seconds(1));
    }
    EXPECT_EQ(fired_, 0);
    advance(seconds(2));
    EXPECT_EQ(fired_, 1);
}

TEST_F(DeadlineTest, survives_a_long_pause_of_the_worker) {
    Deadline soon(wheel_, [this] { ++fired_; });
    Deadline late(wheel_, [this] { fired_ += 100; });
    soon.set(now_ + seconds(1));
    late.set(now_ + std::chrono::hours(3));

    advance(std::chrono::hours(2));
    EXPECT_EQ(fired_, 1);
    advance(std::chrono::hours(2));
    EXPECT_EQ(fired_, 101);
}

TEST_F(DeadlineTest, matches_a_plain_list_of_times_over_random_schedules) {
    std::mt19937 random(7);
    for (int round = 0; round < 200; ++round) {
        struct Entry {
            std::unique_ptr<Deadline> deadline;
            base::MonotonicTime time;
            bool fired = false;
        };

        std::vector<Entry> entries(20);
        for (Entry& entry : entries) {
            entry.deadline = std::make_unique<Deadline>(wheel_, [&entry] { entry.fired = true; });
            entry.time = now_ + milliseconds(random() % 40'000);
            entry.deadline->set(entry.time);
        }
        for (int step = 0; step < 50; ++step) {
            Entry& moved = entries[random() % entries.size()];
            if (!moved.fired) {
                moved.time = now_ + milliseconds(random() % 40'000);
                moved.deadline->set(moved.time);
            }
            advance(milliseconds(random() % 2'000));
            for (const Entry& entry : entries) {
                if (entry.fired) {
                    EXPECT_LE(entry.time, now_);
                } else {
                    EXPECT_GT(entry.time + DeadlineWheel::kTick, now_);
                }
            }
        }
    }
}

}  // namespace
}  // namespace net
