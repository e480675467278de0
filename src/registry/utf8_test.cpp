#include "registry/utf8.hpp"

#include <gtest/gtest.h>

namespace registry {

namespace {

TEST(Utf8, counts_code_points) {
    EXPECT_EQ(length(""), 0U);
    EXPECT_EQ(length("abc"), 3U);
    EXPECT_EQ(length("é€😀"), 3U);
}

TEST(Utf8, takes_what_begins_no_character_for_one_byte) {
    for (const std::string_view broken : {"\xff", "\xc3", "\xe2\x82", "\x80", "\xc3(", "\xe2(\xa1"}) {
        std::string_view text = broken;
        EXPECT_EQ(next_code_point(text), U'\xFFFD') << broken.size();
        EXPECT_EQ(text.size(), broken.size() - 1);
    }
}

TEST(Utf8, reads_characters_of_every_length) {
    std::string_view text = "aé€😀";
    EXPECT_EQ(next_code_point(text), U'a');
    EXPECT_EQ(next_code_point(text), U'é');
    EXPECT_EQ(next_code_point(text), U'€');
    EXPECT_EQ(next_code_point(text), U'😀');
    EXPECT_TRUE(text.empty());
}

TEST(Utf8, knows_words_of_every_script) {
    for (const char32_t c : U"aZ09_éßжд中हあ٣²") {
        EXPECT_TRUE(c == U'\0' || is_word_character(c)) << static_cast<std::uint32_t>(c);
    }
    for (const char32_t c : U" -./:€—😀…\u0301\u00A0\u200B") {
        EXPECT_FALSE(is_word_character(c)) << static_cast<std::uint32_t>(c);
    }
}

TEST(Utf8, knows_spaces) {
    for (const char32_t c : U" \t\n\r\x1c\u0085\u00A0\u2003\u3000") {
        EXPECT_TRUE(c == U'\0' || is_space(c)) << static_cast<std::uint32_t>(c);
    }
    EXPECT_FALSE(is_space(U'a'));
    EXPECT_FALSE(is_space(U'\u200B'));
}

}  // namespace

}  // namespace registry
