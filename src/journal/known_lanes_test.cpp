#include "journal/known_lanes.hpp"

#include "base/testing/manual_clock.hpp"

#include <gtest/gtest.h>

namespace journal {
namespace {

class KnownLanesTest : public ::testing::Test {
protected:
    std::vector<std::string> unsaved() {
        std::vector<std::string> names;
        for (const KnownLane& lane : lanes_.unsaved()) {
            names.push_back(lane.lane + "=" + lane.about);
        }
        return names;
    }

    base::testing::ManualClock clock_;
    KnownLanes lanes_{clock_, 3};
};

TEST_F(KnownLanesTest, forgets_the_lane_not_seen_for_longest) {
    for (const char* lane : {"a", "b", "c", "a", "d"}) {
        lanes_.see(lane);
    }
    EXPECT_TRUE(lanes_.about("a"));
    EXPECT_FALSE(lanes_.about("b"));
    EXPECT_EQ(lanes_.size(), 3U);
}

TEST_F(KnownLanesTest, saves_what_is_new_and_nothing_for_each_call) {
    lanes_.see("a", "1");
    lanes_.see("a");
    EXPECT_EQ(unsaved(), std::vector<std::string>{"a=1"});
    lanes_.see("a");
    EXPECT_TRUE(unsaved().empty());
    lanes_.see("a", "1");
    EXPECT_TRUE(unsaved().empty());
    lanes_.see("a", "2");
    EXPECT_EQ(unsaved(), std::vector<std::string>{"a=2"});
}

TEST_F(KnownLanesTest, saves_a_lane_in_use_once_an_hour) {
    lanes_.see("a", "1");
    unsaved();
    clock_.advance(std::chrono::minutes(59));
    lanes_.see("a");
    EXPECT_TRUE(unsaved().empty());
    clock_.advance(std::chrono::minutes(1));
    lanes_.see("a");
    EXPECT_EQ(unsaved(), std::vector<std::string>{"a=1"});
}

TEST_F(KnownLanesTest, gives_what_could_not_be_saved_again) {
    lanes_.see("a", "1");
    const std::vector<KnownLane> lanes = lanes_.unsaved();
    lanes_.give_back(lanes);
    EXPECT_EQ(unsaved(), std::vector<std::string>{"a=1"});
}

TEST_F(KnownLanesTest, begins_with_what_was_saved) {
    lanes_.load({{"a", "1", {}}, {"b", "2", {}}, {"c", "3", {}}, {"d", "4", {}}});
    EXPECT_EQ(lanes_.about("c"), "3");
    EXPECT_FALSE(lanes_.about("d"));
    EXPECT_TRUE(unsaved().empty());
    lanes_.see("e");
    EXPECT_FALSE(lanes_.about("c"));
}

}  // namespace
}  // namespace journal
