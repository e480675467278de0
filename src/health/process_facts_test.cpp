#include "health/process_facts.hpp"

#include <gtest/gtest.h>

namespace health {

TEST(ProcessFacts, adds_up_busy_and_total_ticks_without_counting_guests_twice) {
    const auto times = parse_cpu_times("cpu  100 20 30 800 40 5 6 7 50 60\ncpu0 1 2 3 4 5 6 7 8 9 10\n");
    ASSERT_TRUE(times.has_value());
    EXPECT_EQ(times->busy, 100U + 20 + 30 + 5 + 6 + 7);
    EXPECT_EQ(times->total, times->busy + 800 + 40);
}

TEST(ProcessFacts, refuses_text_of_another_form) {
    EXPECT_FALSE(parse_cpu_times("").has_value());
    EXPECT_FALSE(parse_cpu_times("intr 1 2 3 4 5 6 7").has_value());
    EXPECT_FALSE(parse_cpu_times("cpu a b c d e f g h").has_value());
    EXPECT_FALSE(parse_memory_percent("MemTotal: 100 kB\n").has_value());
    EXPECT_FALSE(parse_memory_percent("MemTotal: 0 kB\nMemAvailable: 0 kB\n").has_value());
    EXPECT_FALSE(parse_resident_pages("12").has_value());
}

TEST(ProcessFacts, memory_in_use_is_what_is_not_available) {
    const auto percent = parse_memory_percent("MemTotal:       1000 kB\nMemFree: 1 kB\nMemAvailable:    250 kB\n");
    ASSERT_TRUE(percent.has_value());
    EXPECT_DOUBLE_EQ(*percent, 75.0);
}

TEST(ProcessFacts, resident_pages_are_the_second_number) {
    EXPECT_EQ(parse_resident_pages("9000 512 100 1 0 200 0\n"), 512U);
}

TEST(ProcessFacts, cpu_percent_is_the_busy_share_of_the_time_between) {
    EXPECT_DOUBLE_EQ(cpu_percent_between({.busy = 100, .total = 1000}, {.busy = 150, .total = 1200}), 25.0);
    EXPECT_DOUBLE_EQ(cpu_percent_between({.busy = 100, .total = 1000}, {.busy = 100, .total = 1000}), 0.0);
    EXPECT_DOUBLE_EQ(cpu_percent_between({.busy = 100, .total = 1000}, {.busy = 90, .total = 1100}), 0.0);
}

TEST(ProcessFacts, reads_this_process) {
    ProcessReader reader;
    const ProcessFacts facts = reader.read();
    EXPECT_GT(facts.resident_bytes, 100'000.0);
    EXPECT_GT(facts.memory_percent, 0.0);
    EXPECT_EQ(facts.cpu_percent, 0.0);
}

}  // namespace health
