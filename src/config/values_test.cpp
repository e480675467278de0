#include "config/values.hpp"

#include <chrono>
#include <limits>

#include <gtest/gtest.h>

namespace config {
namespace {

using namespace std::chrono_literals;

base::Result<base::Duration> duration_of(std::string_view text) {
    return parse_duration(text, 0s, 24h * 365);
}

TEST(Bool, has_four_words_for_each_in_any_case) {
    for (const char* text : {"true", "TRUE", "yes", "On", "1"}) {
        EXPECT_EQ(parse_bool(text), true) << text;
    }
    for (const char* text : {"false", "False", "no", "OFF", "0"}) {
        EXPECT_EQ(parse_bool(text), false) << text;
    }
    for (const char* text : {"", "2", "tru", " true", "enabled"}) {
        EXPECT_FALSE(parse_bool(text)) << text;
    }
}

TEST(Number, includes_both_ends_of_its_range) {
    EXPECT_EQ(parse_number("3", 3, 9), 3U);
    EXPECT_EQ(parse_number("9", 3, 9), 9U);
    EXPECT_FALSE(parse_number("2", 3, 9));
    EXPECT_FALSE(parse_number("10", 3, 9));
}

TEST(Number, refuses_signs_fractions_units_and_overflow) {
    constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
    for (const char* text : {"", "-1", "+1", "1.0", "1 ", "0x10", "five", "18446744073709551616"}) {
        EXPECT_FALSE(parse_number(text, 0, kMax)) << text;
    }
    EXPECT_EQ(parse_number("18446744073709551615", 0, kMax), kMax);
}

TEST(Number, says_what_is_allowed) {
    EXPECT_EQ(parse_number("x", 3, 9).error().message, "must be a whole number from 3 to 9");
}

TEST(Duration, has_units_and_a_plain_number_is_seconds) {
    EXPECT_EQ(duration_of("250ms"), 250ms);
    EXPECT_EQ(duration_of("30s"), 30s);
    EXPECT_EQ(duration_of("30"), 30s);
    EXPECT_EQ(duration_of("5m"), 5min);
    EXPECT_EQ(duration_of("12h"), 12h);
    EXPECT_EQ(duration_of("90d"), 24h * 90);
    EXPECT_EQ(duration_of("0"), 0s);
}

TEST(Duration, may_have_three_decimals) {
    EXPECT_EQ(duration_of("1.5s"), 1500ms);
    EXPECT_EQ(duration_of("0.125"), 125ms);
    EXPECT_EQ(duration_of("0.5d"), 12h);
    EXPECT_FALSE(duration_of("0.1234"));
}

TEST(Duration, refuses_everything_else) {
    for (const char* text : {"",
                             "s",
                             "-1s",
                             "+1s",
                             "1.s",
                             ".5s",
                             "1 s",
                             "1S",
                             "1sec",
                             "1e3",
                             "99999999999999999999",
                             "18446744074",
                             "106751991167300d"}) {
        EXPECT_FALSE(duration_of(text)) << text;
    }
}

TEST(Duration, keeps_its_range) {
    EXPECT_FALSE(parse_duration("0", 1ms, 1h));
    EXPECT_FALSE(parse_duration("60.001m", 1ms, 1h));
    EXPECT_EQ(parse_duration("1h", 1ms, 1h), 1h);
    EXPECT_NE(parse_duration("x", 1ms, 1h).error().message.find("from 1ms to 1h"), std::string::npos);
}

TEST(Duration, is_written_in_the_longest_unit_that_is_exact) {
    EXPECT_EQ(to_text(0s), "0s");
    EXPECT_EQ(to_text(250ms), "250ms");
    EXPECT_EQ(to_text(110s), "110s");
    EXPECT_EQ(to_text(120s), "2m");
    EXPECT_EQ(to_text(24h * 90), "90d");
}

TEST(ByteSize, has_binary_units_and_a_plain_number_is_bytes) {
    constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
    EXPECT_EQ(parse_byte_size("512", 0, kMax), 512U);
    EXPECT_EQ(parse_byte_size("512B", 0, kMax), 512U);
    EXPECT_EQ(parse_byte_size("64KiB", 0, kMax), 65536U);
    EXPECT_EQ(parse_byte_size("2GiB", 0, kMax), 2147483648U);
    for (const char* text : {"", "KiB", "1KB", "1.5MiB", "-1", "17179869184GiB"}) {
        EXPECT_FALSE(parse_byte_size(text, 0, kMax)) << text;
    }
}

TEST(ByteSize, keeps_its_range_and_is_written_as_read) {
    EXPECT_FALSE(parse_byte_size("3KiB", 4096, 1 << 20));
    EXPECT_FALSE(parse_byte_size("2MiB", 4096, 1 << 20));
    EXPECT_EQ(byte_size_text(65536), "64KiB");
    EXPECT_EQ(byte_size_text(1000), "1000B");
    EXPECT_EQ(byte_size_text(0), "0B");
}

TEST(List, is_separated_by_commas_or_a_json_array) {
    using Items = std::vector<std::string>;
    EXPECT_EQ(parse_list("a, b,,c"), (Items{"a", "b", "c"}));
    EXPECT_EQ(parse_list(R"(["https://a", "https://b"])"), (Items{"https://a", "https://b"}));
    EXPECT_EQ(parse_list(R"(["*"])"), Items{"*"});
    EXPECT_EQ(parse_list("[]"), Items{});
    EXPECT_EQ(parse_list(""), Items{});
    EXPECT_FALSE(parse_list(R"(["a)"));
    EXPECT_FALSE(parse_list("[a]"));
    EXPECT_FALSE(parse_list("[\"]"));
}

TEST(Redact, hides_credentials_and_queries_of_urls) {
    EXPECT_EQ(redact("plain text"), "plain text");
    EXPECT_EQ(redact("http://mlflow:5000/base"), "http://mlflow:5000/base");
    EXPECT_EQ(redact("http://me:pa/ss@mlflow:5000/base"), "http://<redacted>@mlflow:5000/base");
    EXPECT_EQ(redact("https://h/p?token=abc"), "https://h/p?<redacted>");
    EXPECT_EQ(redact("https://h/p#abc"), "https://h/p#<redacted>");
    EXPECT_EQ(redact("http://a:b@h,http://c:d@i"), "http://<redacted>@i");
}

}  // namespace
}  // namespace config
