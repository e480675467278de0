#include "http/grammar.hpp"

#include <string>

#include <gtest/gtest.h>

namespace http {
namespace {

TEST(RequestLineGrammar, has_three_parts_with_one_space_between_them) {
    const auto line = parse_request_line("GET /a?b=%20 HTTP/1.1");
    ASSERT_TRUE(line);
    EXPECT_EQ(line->method, "GET");
    EXPECT_EQ(line->target, "/a?b=%20");
    EXPECT_EQ(line->minor_version, 1U);
    EXPECT_EQ(parse_request_line("M-SEARCH * HTTP/1.0")->minor_version, 0U);

    for (const std::string_view broken : {"",
                                          "GET",
                                          "GET /",
                                          "GET HTTP/1.1",
                                          "GET  HTTP/1.1",
                                          "GET  / HTTP/1.1",
                                          "GET /  HTTP/1.1",
                                          " GET / HTTP/1.1",
                                          "GET / HTTP/1.1 ",
                                          "GET /a b HTTP/1.1",
                                          "GET\t/ HTTP/1.1",
                                          "GET /\t HTTP/1.1",
                                          "G\"T / HTTP/1.1",
                                          "GET /\x7F HTTP/1.1",
                                          "GET /\xC3\xA9 HTTP/1.1",
                                          "GET /\r HTTP/1.1",
                                          "GET / http/1.1",
                                          "GET / HTTP/1.2",
                                          "GET / HTTP/2.0",
                                          "GET / HTTP/01.1",
                                          "GET / HTTP/1.10"}) {
        EXPECT_FALSE(parse_request_line(broken)) << broken;
    }
}

TEST(StatusLineGrammar, may_lack_a_reason_but_not_the_space_before_it) {
    EXPECT_EQ(parse_status_line("HTTP/1.1 200 OK")->status, 200U);
    EXPECT_EQ(parse_status_line("HTTP/1.1 404 Not Found")->reason, "Not Found");
    EXPECT_EQ(parse_status_line("HTTP/1.1 200 ")->reason, "");
    EXPECT_EQ(parse_status_line("HTTP/1.0 200 ")->minor_version, 0U);

    for (const std::string_view broken : {"",
                                          "HTTP/1.1",
                                          "HTTP/1.1 ",
                                          "HTTP/1.1 20",
                                          "HTTP/1.1 200",
                                          "HTTP/1.1 099 No",
                                          "HTTP/1.1 2000 OK",
                                          "HTTP/1.1 2x0 OK",
                                          "HTTP/1.1 +20 OK",
                                          "HTTP/1.1  200 OK",
                                          "HTTP/1.1 200OK",
                                          "HTTP/1.1 200 O\rK",
                                          "HTTP/2 200 OK",
                                          "ICY 200 OK"}) {
        EXPECT_FALSE(parse_status_line(broken)) << broken;
    }
}

TEST(FieldGrammar, trims_the_value_and_nothing_else) {
    const auto field = parse_field_line("X-Name:\t a b \xC3\xA9 \t");
    ASSERT_TRUE(field);
    EXPECT_EQ(field->name, "X-Name");
    EXPECT_EQ(field->value, "a b \xC3\xA9");
    EXPECT_EQ(parse_field_line("X:")->value, "");

    for (const std::string_view broken : {std::string_view("NoColon"),
                                          std::string_view(": x"),
                                          std::string_view("X : x"),
                                          std::string_view("X\t: x"),
                                          std::string_view("X(y): x"),
                                          std::string_view("X\xC3\xA9: x"),
                                          std::string_view("X: a\rb"),
                                          std::string_view("X: a\0b", 6),
                                          std::string_view("X: a\x7F"),
                                          std::string_view("X: \x01")}) {
        EXPECT_FALSE(parse_field_line(broken)) << broken;
    }
    for (const std::string_view folded : {" x", "\tx", " X: y"}) {
        EXPECT_EQ(parse_field_line(folded).error().message, "a field value must not continue on the next line");
    }
}

TEST(ChunkGrammar, is_a_hexadecimal_size_and_short_extensions) {
    EXPECT_EQ(parse_chunk_line("0"), 0U);
    EXPECT_EQ(parse_chunk_line("00fF"), 255U);
    EXPECT_EQ(parse_chunk_line("ffffffffffffffff"), ~std::uint64_t{0});
    EXPECT_EQ(parse_chunk_line("5;a=b;c=\"d e\""), 5U);
    EXPECT_EQ(parse_chunk_line("5 ; a = b ; c"), 5U);
    EXPECT_EQ(parse_chunk_line("5;a=\"b;c \\\" d\""), 5U);
    EXPECT_EQ(parse_chunk_line("5;" + std::string(255, 'x')), 5U);

    for (const std::string& broken : {std::string(),
                                      std::string("x"),
                                      std::string("-1"),
                                      std::string("+1"),
                                      std::string("0x5"),
                                      std::string(" 5"),
                                      std::string("5 "),
                                      std::string("5 a"),
                                      std::string("5;"),
                                      std::string("5;a="),
                                      std::string("5;=b"),
                                      std::string("5;a "),
                                      std::string("5;a=\"b\"c"),
                                      std::string("5\t"),
                                      std::string("10000000000000000"),
                                      std::string("5;a=\"b"),
                                      std::string("5;a\rb"),
                                      "5;" + std::string(256, 'x')}) {
        EXPECT_FALSE(parse_chunk_line(broken)) << broken;
    }
}

}  // namespace
}  // namespace http
