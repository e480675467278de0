#include "base/random.hpp"

#include <cstdint>
#include <limits>

#include "base/testing/fixed_random.hpp"

#include <gtest/gtest.h>

namespace base {
namespace {

class ScriptedWord final : public Random {
public:
    explicit ScriptedWord(std::uint64_t word) : word_(word) {}

    std::uint64_t next() override {
        return word_;
    }

private:
    std::uint64_t word_;
};

TEST(Random, keeps_unit_below_one_at_both_ends_of_the_words) {
    EXPECT_EQ(ScriptedWord(0).unit(), 0.0);
    const double highest = ScriptedWord(std::numeric_limits<std::uint64_t>::max()).unit();
    EXPECT_LT(highest, 1.0);
    EXPECT_GT(highest, 0.999'999'999);
    EXPECT_EQ(ScriptedWord(std::uint64_t{1} << 63U).unit(), 0.5);
}

TEST(SeededRandom, repeats_the_sequence_of_its_seed) {
    SeededRandom first(42);
    SeededRandom again(42);
    SeededRandom other(43);
    int differences = 0;
    for (int i = 0; i < 100; ++i) {
        const std::uint64_t word = first.next();
        EXPECT_EQ(word, again.next());
        differences += word != other.next() ? 1 : 0;
    }
    EXPECT_EQ(differences, 100);
}

TEST(SeededRandom, fills_the_unit_interval_evenly) {
    SeededRandom random(1);
    constexpr int kDraws = 20'000;
    int counts[10]{};
    for (int i = 0; i < kDraws; ++i) {
        const double draw = random.unit();
        ASSERT_GE(draw, 0.0);
        ASSERT_LT(draw, 1.0);
        ++counts[static_cast<int>(draw * 10)];
    }
    for (const int count : counts) {
        EXPECT_NEAR(count, kDraws / 10.0, 200);  // nearly five standard deviations
    }
}

TEST(SystemSeed, differs_from_call_to_call) {
    EXPECT_NE(system_seed(), system_seed());
}

TEST(FixedRandom, always_falls_where_it_was_told) {
    for (const double unit : {0.0, 0.25, 0.5, 0.999}) {
        testing::FixedRandom random(unit);
        EXPECT_EQ(random.unit(), unit);
        EXPECT_EQ(random.unit(), unit);
    }
}

}  // namespace
}  // namespace base
