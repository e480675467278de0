#include "base/clock.hpp"

#include <cstdlib>
#include <string>

#include "base/testing/manual_clock.hpp"

#include <gtest/gtest.h>

namespace base {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

WallTime at_epoch_second(std::int64_t second, nanoseconds fraction = nanoseconds(0)) {
    return WallTime(seconds(second)) + std::chrono::duration_cast<WallTime::duration>(fraction);
}

struct ClockRow {
    WallTime time;
    std::string_view iso;
    std::string_view http_date;
};

// The texts are from `date -u -d @SECONDS`.
TEST(WallTimeText, has_the_forms_existing_clients_parse) {
    for (const auto& [time, iso, http_date] : {
             ClockRow{at_epoch_second(0), "1970-01-01T00:00:00.000000", "Thu, 01 Jan 1970 00:00:00 GMT"},
             ClockRow{at_epoch_second(784'111'777), "1994-11-06T08:49:37.000000", "Sun, 06 Nov 1994 08:49:37 GMT"},
             ClockRow{at_epoch_second(951'782'399), "2000-02-28T23:59:59.000000", "Mon, 28 Feb 2000 23:59:59 GMT"},
             ClockRow{at_epoch_second(951'782'400), "2000-02-29T00:00:00.000000", "Tue, 29 Feb 2000 00:00:00 GMT"},
             ClockRow{at_epoch_second(1'755'172'800), "2025-08-14T12:00:00.000000", "Thu, 14 Aug 2025 12:00:00 GMT"},
             ClockRow{at_epoch_second(2'147'483'648), "2038-01-19T03:14:08.000000", "Tue, 19 Jan 2038 03:14:08 GMT"},
             ClockRow{at_epoch_second(4'107'542'400), "2100-03-01T00:00:00.000000", "Mon, 01 Mar 2100 00:00:00 GMT"},
         }) {
        EXPECT_EQ(to_naive_iso8601(time), iso);
        EXPECT_EQ(to_iso8601(time), std::string(iso) + "Z");
        EXPECT_EQ(to_http_date(time), http_date);
    }
}

TEST(WallTimeText, keeps_six_digits_of_the_second_cut_not_rounded) {
    EXPECT_EQ(to_iso8601(at_epoch_second(0, microseconds(7))), "1970-01-01T00:00:00.000007Z");
    EXPECT_EQ(to_iso8601(at_epoch_second(0, microseconds(123'456))), "1970-01-01T00:00:00.123456Z");
    EXPECT_EQ(to_iso8601(at_epoch_second(0, nanoseconds(999'999'999))), "1970-01-01T00:00:00.999999Z");
    EXPECT_EQ(to_http_date(at_epoch_second(59, nanoseconds(999'999'999))), "Thu, 01 Jan 1970 00:00:59 GMT");
}

TEST(WallTimeText, counts_fractions_forward_before_the_epoch_too) {
    EXPECT_EQ(to_naive_iso8601(at_epoch_second(-1, microseconds(250'000))), "1969-12-31T23:59:59.250000");
}

TEST(WallTimeText, names_every_day_and_month_in_english) {
    // One day in each month of 2023, whose first of January was a Sunday.
    constexpr std::string_view kDays[]{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    for (int day = 0; day < 7; ++day) {
        EXPECT_EQ(to_http_date(at_epoch_second(1'672'531'200 + day * 86'400)).substr(0, 3), kDays[day]);
    }
    constexpr std::string_view kMonths[]{
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    constexpr int kMiddles[]{14, 45, 73, 104, 134, 165, 195, 226, 257, 287, 318, 348};  // days into the year
    for (int month = 0; month < 12; ++month) {
        EXPECT_EQ(to_http_date(at_epoch_second(1'672'531'200 + kMiddles[month] * 86'400)).substr(8, 3), kMonths[month]);
    }
}

TEST(WallTimeText, is_in_utc_whatever_the_time_zone) {
    ::setenv("TZ", "ABC-5:30", 1);
    ::tzset();
    EXPECT_EQ(to_naive_iso8601(at_epoch_second(0)), "1970-01-01T00:00:00.000000");
    EXPECT_EQ(to_http_date(at_epoch_second(0)), "Thu, 01 Jan 1970 00:00:00 GMT");
    ::unsetenv("TZ");
    ::tzset();
}

TEST(WallTimeText, gives_seconds_since_the_epoch_with_their_fraction) {
    EXPECT_DOUBLE_EQ(to_epoch_seconds(at_epoch_second(1'755'172'800, microseconds(125'000))), 1'755'172'800.125);
    EXPECT_DOUBLE_EQ(to_epoch_seconds(at_epoch_second(-1, microseconds(500'000))), -0.5);
}

TEST(SystemClock, never_runs_backwards) {
    const SystemClock clock;
    const MonotonicTime first = clock.now();
    EXPECT_GE(clock.now(), first);
    EXPECT_GT(to_epoch_seconds(clock.wall_now()), 1.7e9);
}

TEST(ManualClock, moves_both_times_and_lets_only_the_wall_jump) {
    testing::ManualClock clock;
    const MonotonicTime start = clock.now();
    EXPECT_EQ(to_iso8601(clock.wall_now()), "2025-08-14T12:00:00.000000Z");

    clock.advance(seconds(90));
    EXPECT_EQ(clock.now() - start, seconds(90));
    clock.jump_wall(-hours(1));
    EXPECT_EQ(clock.now() - start, seconds(90));
    EXPECT_EQ(to_iso8601(clock.wall_now()), "2025-08-14T11:01:30.000000Z");
}

}  // namespace
}  // namespace base
