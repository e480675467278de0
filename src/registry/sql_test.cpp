#include "registry/sql.hpp"

#include <array>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace registry::sql {

namespace {

std::vector<std::string> texts(const std::vector<Token>& tokens) {
    std::vector<std::string> found;
    for (const Token& token : tokens) {
        if (token.kind != Kind::space) {
            found.emplace_back(token.text);
        }
    }
    return found;
}

std::string joined(const std::vector<Token>& tokens) {
    std::string text;
    for (const Token& token : tokens) {
        text += token.text;
    }
    return text;
}

using Texts = std::vector<std::string>;

TEST(Sql, takes_text_apart) {
    EXPECT_EQ(texts(tokenize("a.b>='x''y' AND`c d` NOT  LIKE -1.5e3--rest\n,0x1F")),
              (Texts{"a", ".", "b", ">=", "'x''y'", "AND", "`c d`", "NOT  LIKE", "-1.5e3", "--rest\n", ",", "0x1F"}));
    EXPECT_EQ(texts(tokenize("/*a*/?:x %s \"a\\\"b\" [x] @name DESC NULLS LAST")),
              (Texts{"/*a*/", "?", ":x", "%s", "\"a\\\"b\"", "[x]", "@name", "DESC NULLS LAST"}));
}

TEST(Sql, closes_a_quote_where_it_can) {
    EXPECT_EQ(texts(tokenize("'a\\'")), (Texts{"'a\\'"}));
    EXPECT_EQ(texts(tokenize("'a\\'b'")), (Texts{"'a\\'b'"}));
    EXPECT_EQ(texts(tokenize("'a''")), (Texts{"'a'", "'"}));
    EXPECT_EQ(texts(tokenize("`a\\`")), (Texts{"`a\\`"}));
    EXPECT_EQ(texts(tokenize("'a")), (Texts{"'", "a"}));
}

TEST(Sql, groups_tokens) {
    const auto grouped = [](std::string_view text) { return texts(parse(text).value().at(0)); };
    EXPECT_EQ(grouped("a . b = 'x' AND c"), (Texts{"a . b = 'x'", "AND", "c"}));
    EXPECT_EQ(grouped("a = b = c"), (Texts{"a = b = c"}));
    EXPECT_EQ(grouped("a b c"), (Texts{"a b", "c"}));
    EXPECT_EQ(grouped("a DESC DESC"), (Texts{"a DESC DESC"}));
    EXPECT_EQ(grouped("((a) b"), (Texts{"(", "(a) b"}));
    EXPECT_EQ(grouped("f (x) , 1 , 'y'"), (Texts{"f (x) , 1 , 'y'"}));
    EXPECT_EQ(grouped("a WHERE b = c LIMIT 5"), (Texts{"a", "WHERE b = c ", "LIMIT", "5"}));
    EXPECT_EQ(grouped("1 + 2 * a = b"), (Texts{"1 + 2 * a = b"}));
}

TEST(Sql, splits_statements) {
    EXPECT_TRUE(parse("").value().empty());
    EXPECT_TRUE(parse(" \n").value().empty());
    EXPECT_EQ(parse("a; ").value().size(), 1U);
    EXPECT_EQ(parse("a;\n").value().size(), 1U);
    EXPECT_EQ(parse("a; b;c").value().size(), 3U);
    EXPECT_EQ(parse("(a; b)").value().size(), 1U);
    EXPECT_EQ(parse("'a; b'").value().size(), 1U);
    EXPECT_EQ(parse(std::string(10'001, ',')), std::nullopt);
}

TEST(Sql, loses_no_byte_of_any_text) {
    constexpr std::array<std::string_view, 40> kPieces{
        "a",  "tags", ".",  "`",    "'",      "\"",  "\\", " ",  "\n", "(",   ")",        ",",  ";",  "=",
        "!=", "LIKE", "IN", "NOT ", "AND",    "--",  "# ", "/*", "*/", "*",   "0x1F",     "1.", "-5", "1e5",
        "$1", ":x",   "?",  "%s",   "ORDER ", " BY", "é",  "[",  "]",  "@ab", "\xff\xc3", "::"};
    std::mt19937 random(7);
    for (int round = 0; round < 5'000; ++round) {
        std::string text;
        for (std::size_t i = random() % 12; i > 0; --i) {
            text += kPieces.at(random() % kPieces.size());
        }
        std::vector<Token> tokens = tokenize(text);
        ASSERT_EQ(joined(tokens), text);
        group(tokens);
        ASSERT_EQ(joined(tokens), text);
    }
}

}  // namespace

}  // namespace registry::sql
