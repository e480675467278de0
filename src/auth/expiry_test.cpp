#include "auth/expiry.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace auth {
namespace {

using namespace std::chrono_literals;

const base::WallTime kNow{std::chrono::seconds(1'755'172'800)};  // 2025-08-14T12:00:00Z

TEST(Expiry, reads_time_spans) {
    EXPECT_EQ(parse_expiry("90d", kNow), kNow + 90 * 24h);
    EXPECT_EQ(parse_expiry("12h", kNow), kNow + 12h);
    EXPECT_EQ(parse_expiry("30m", kNow), kNow + 30min);
    EXPECT_EQ(parse_expiry("45s", kNow), kNow + 45s);
    EXPECT_EQ(parse_expiry("2w", kNow), kNow + 14 * 24h);
}

TEST(Expiry, reads_dates) {
    EXPECT_EQ(base::to_iso8601(parse_expiry("2026-01-31", kNow).value()), "2026-01-31T00:00:00.000000Z");
    EXPECT_EQ(base::to_iso8601(parse_expiry("2028-02-29T23:59:58Z", kNow).value()), "2028-02-29T23:59:58.000000Z");
}

TEST(Expiry, refuses_what_it_cannot_read) {
    for (const char* text : {"",
                             "d",
                             "90",
                             "-1d",
                             "1.5d",
                             "90 d",
                             "90y",
                             "tomorrow",
                             "2026-02-30",
                             "2027-02-29",
                             "2026-13-01",
                             "2026-1-31",
                             "2026/01/31",
                             "2026-01-31T12:00:00",
                             "2026-01-31T24:00:00Z",
                             "2026-01-31T12:60:00Z",
                             "2026-01-31 12:00:00Z"}) {
        const auto refused = parse_expiry(text, kNow);
        ASSERT_FALSE(refused) << text;
        EXPECT_EQ(refused.error().code, base::Code::invalid_argument);
        EXPECT_NE(refused.error().message.find("90d"), std::string::npos) << text;
    }
}

TEST(Expiry, must_lie_in_the_future_but_not_far) {
    for (const char* text : {"0d",
                             "2025-08-14",
                             "1999-01-01",
                             "11000d",
                             "99999999999999999999d",
                             "18446744073709551615w",
                             "9999-12-31",
                             "0001-01-01"}) {
        EXPECT_FALSE(parse_expiry(text, kNow)) << text;
    }
    EXPECT_TRUE(parse_expiry("3650d", kNow));
    EXPECT_TRUE(parse_expiry("2025-08-15", kNow));
}

}  // namespace
}  // namespace auth
