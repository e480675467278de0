#include "base/strings.hpp"

#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace base {
namespace {

using std::string_view_literals::operator""sv;

using Parts = std::vector<std::string_view>;

TEST(Strings, compare_ascii_letters_in_any_case) {
    EXPECT_TRUE(iequals("Content-LENGTH", "content-length"));
    EXPECT_TRUE(iequals("", ""));
    EXPECT_FALSE(iequals("host", "hosts"));
    EXPECT_FALSE(iequals("hosts", "host"));
    EXPECT_TRUE(istarts_with("Text/Plain; charset=utf-8", "text/plain"));
    EXPECT_TRUE(istarts_with("x", ""));
    EXPECT_FALSE(istarts_with("text", "text/plain"));
}

TEST(Strings, fold_letters_only) {
    // The neighbours of A, Z, a and z, which folding by a bit would make equal.
    EXPECT_FALSE(iequals("@", "`"));
    EXPECT_FALSE(iequals("[", "{"));
    EXPECT_FALSE(iequals("\xC4", "\xE4"));
    EXPECT_EQ(to_lower("AZaz@[`{09-_\xC4"), "azaz@[`{09-_\xC4");
    EXPECT_EQ(to_lower(""), "");
}

TEST(Strings, trim_spaces_and_tabs_only) {
    EXPECT_EQ(trim(" \t a b\t "), "a b");
    EXPECT_EQ(trim("a"), "a");
    EXPECT_EQ(trim(" \t"), "");
    EXPECT_EQ(trim(""), "");
    EXPECT_EQ(trim("\ra\n"), "\ra\n");
}

TEST(Strings, split_a_list_without_its_empty_parts) {
    EXPECT_EQ(split_list("a, b ,\tc", ','), (Parts{"a", "b", "c"}));
    EXPECT_EQ(split_list(",a,, ,b,", ','), (Parts{"a", "b"}));
    EXPECT_EQ(split_list("one two", ','), (Parts{"one two"}));
    EXPECT_EQ(split_list("", ','), Parts{});
    EXPECT_EQ(split_list(" , ", ','), Parts{});
}

TEST(Strings, parse_unsigned_numbers_of_digits_alone) {
    EXPECT_EQ(parse_uint("0"), 0U);
    EXPECT_EQ(parse_uint("007"), 7U);
    EXPECT_EQ(parse_uint("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
    for (const std::string_view text :
         {"", "18446744073709551616", "99999999999999999999999", "-1", "+1", " 1", "1 ", "1.0", "1e3", "0x10", "a"}) {
        EXPECT_EQ(parse_uint(text), std::nullopt) << '"' << text << '"';
    }
    EXPECT_EQ(parse_uint("1\0"sv), std::nullopt);
}

TEST(Strings, decode_percent_signs_once) {
    EXPECT_EQ(percent_decode("/a%2Fb%2fc%20"), "/a/b/c ");
    EXPECT_EQ(percent_decode("%252f"), "%2f");
    EXPECT_EQ(percent_decode("a%00b"), "a\0b"sv);
    EXPECT_EQ(percent_decode("%FF+"), "\xFF+");
    EXPECT_EQ(percent_decode(""), "");
}

TEST(Strings, leave_a_stray_percent_sign_alone) {
    EXPECT_EQ(percent_decode("100%"), "100%");
    EXPECT_EQ(percent_decode("%2"), "%2");
    EXPECT_EQ(percent_decode("%g0%0g%-1%+1% 1"), "%g0%0g%-1%+1% 1");
    EXPECT_EQ(percent_decode("%%41"), "%A");
}

TEST(Strings, percent_encode_whatever_could_mean_something_in_a_url) {
    EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
    EXPECT_EQ(percent_encode("a b+c&d=e/%?#'`"), "a%20b%2Bc%26d%3De%2F%25%3F%23%27%60");
    EXPECT_EQ(percent_encode("\xC3\xA4\n"), "%C3%A4%0A");
    EXPECT_EQ(percent_encode("a\0b"sv), "a%00b");
    EXPECT_EQ(percent_encode(""), "");
}

TEST(Strings, write_bytes_as_lower_case_hexadecimal) {
    EXPECT_EQ(to_hex("\x00\x0F\xA0\xFF"sv), "000fa0ff");
    EXPECT_EQ(to_hex(""), "");
}

struct Base64Vector {
    std::string_view bytes;
    std::string_view text;
};

TEST(Base64, agrees_with_rfc_4648_section_10) {
    for (const auto& [bytes, text] : {Base64Vector{"", ""},
                                      Base64Vector{"f", "Zg=="},
                                      Base64Vector{"fo", "Zm8="},
                                      Base64Vector{"foo", "Zm9v"},
                                      Base64Vector{"foob", "Zm9vYg=="},
                                      Base64Vector{"fooba", "Zm9vYmE="},
                                      Base64Vector{"foobar", "Zm9vYmFy"},
                                      Base64Vector{"\xFB\xEF\xFF\x00"sv, "++//AA=="}}) {
        EXPECT_EQ(base64_encode(bytes), text);
        EXPECT_EQ(base64_decode(text), bytes);
    }
}

TEST(Base64, survives_a_round_trip_of_every_byte) {
    std::string bytes;
    for (int value = 0; value < 256; ++value) {
        bytes.push_back(static_cast<char>(value));
        EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    }
}

TEST(Base64, takes_text_whose_padding_was_left_out) {
    EXPECT_EQ(base64_decode("Zg"), "f");
    EXPECT_EQ(base64_decode("Zm8"), "fo");
}

TEST(Base64, refuses_what_is_not_of_its_alphabet) {
    for (const std::string_view text : {"Zm9v!", "Zm 9v", "Zm9v\n", "Zg==Zg==", "-_-_", "Zm\xC3\xA9v"}) {
        EXPECT_EQ(base64_decode(text), std::nullopt) << text;
    }
    EXPECT_EQ(base64_decode("Zm9v\0"sv), std::nullopt);
}

TEST(NearestName, finds_the_likely_typing_error) {
    const Parts names{"server.listen", "server.threads", "mlflow.url", "log.level"};
    EXPECT_EQ(nearest_name("server.lisen", names), "server.listen");
    EXPECT_EQ(nearest_name("mlfow.rul", names), std::nullopt);
    EXPECT_EQ(nearest_name("mlflow.urll", names), "mlflow.url");
    EXPECT_EQ(nearest_name("log.level", names), "log.level");
    EXPECT_EQ(nearest_name("something_else_entirely", names), std::nullopt);
    EXPECT_EQ(nearest_name("log.level", {}), std::nullopt);
}

TEST(NearestName, prefers_the_smallest_distance_and_the_earlier_of_equals) {
    EXPECT_EQ(nearest_name("cart", {"carted", "card", "care"}), "card");
}

}  // namespace
}  // namespace base
