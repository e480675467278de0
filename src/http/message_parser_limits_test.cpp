#include <string>
#include <vector>

#include "http/message_parser.hpp"
#include "http/testing/parse_all.hpp"

#include <gtest/gtest.h>

namespace http {
namespace {

using testing::drip;
using testing::parse_requests;
using testing::parse_responses;

constexpr ParserLimits kSmall{.max_head_bytes = 200, .max_fields = 5};

// A GET whose head is `size` bytes long.
std::string request_of(std::size_t size) {
    const std::string start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    return start + std::string(size - start.size() - 4, 'x') + "\r\n\r\n";
}

std::string request_with_fields(std::size_t count) {
    std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (std::size_t i = 1; i < count; ++i) {
        bytes += "X: 1\r\n";
    }
    return bytes + "\r\n";
}

std::string chunked_request(const std::string& body) {
    return "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
}

// For both ways of arriving: at once and byte after byte.
void expect_ending(const std::string& bytes, const std::string& ending, ParserLimits limits = {}) {
    for (const auto& pieces : {std::vector<std::string_view>{bytes}, drip(bytes)}) {
        const std::string told = parse_requests(pieces, limits);
        EXPECT_TRUE(told.ends_with(ending)) << "got: " << told.substr(0, 300) << " in " << pieces.size() << " pieces";
    }
}

TEST(ParserLimitsTest, takes_a_head_up_to_its_limit_and_not_a_byte_more) {
    expect_ending(request_of(200), "none}<end>", kSmall);
    expect_ending(request_of(201), "!exhausted: the head is too long", kSmall);
    expect_ending(request_of(4000), "!exhausted: the head is too long", kSmall);
}

TEST(ParserLimitsTest, counts_the_head_alone_when_more_came_with_it) {
    const std::string body(1000, 'b');
    const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n";

    expect_ending(head + body, "b<end>", kSmall);
    expect_ending(request_of(200) + request_of(200), "none}<end>", kSmall);
}

TEST(ParserLimitsTest, refuses_a_head_that_never_ends_before_it_fills_the_memory) {
    expect_ending("GET /" + std::string(300, 'a'), "!exhausted: the head is too long", kSmall);
    expect_ending(
        "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(300, 'a'), "!exhausted: the head is too long", kSmall);
    expect_ending("GET / HTTP/1.1\r\nHost: a\r\n" + std::string(300, 'a'), "!exhausted: the head is too long", kSmall);
}

TEST(ParserLimitsTest, takes_fields_up_to_their_limit_and_not_one_more) {
    expect_ending(request_with_fields(5), "none}<end>", kSmall);
    expect_ending(request_with_fields(6), "!exhausted: the head has too many fields", kSmall);
    expect_ending(request_with_fields(256), "none}<end>");
    expect_ending(request_with_fields(257), "!exhausted: the head has too many fields");
}

TEST(ParserLimitsTest, holds_for_answers_too) {
    const std::string long_head = "HTTP/1.1 200 OK\r\nX: " + std::string(200, 'x') + "\r\n\r\n";
    EXPECT_EQ(parse_responses({long_head}, Method::get, kSmall), "!exhausted: the head is too long");

    std::string many_fields = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 6; ++i) {
        many_fields += "X: 1\r\n";
    }
    EXPECT_EQ(parse_responses({many_fields + "\r\n"}, Method::get, kSmall), "!exhausted: the head has too many fields");
}

TEST(ParserLimitsTest, applies_to_each_message_of_a_connection_anew) {
    std::string pipelined;
    for (int i = 0; i < 10; ++i) {
        pipelined += request_of(200);
    }
    expect_ending(pipelined, "none}<end>", kSmall);
}

TEST(ParserLimitsTest, drops_trailers_and_refuses_long_ones) {
    expect_ending(chunked_request("1\r\nx\r\n0\r\nX: " + std::string(7000, 'x') + "\r\n\r\n"), "chunked}x<end>");
    expect_ending(chunked_request("1\r\nx\r\n0\r\nX: " + std::string(9000, 'x') + "\r\n\r\n").substr(0, 9000),
                  "!exhausted: a chunk header or the trailers are too long");

    std::string many = "0\r\n";
    while (many.size() < 9000) {
        many += "X: 1\r\n";
    }
    const std::string told = parse_requests({chunked_request(many + "\r\n")});
    EXPECT_TRUE(told.ends_with("!exhausted: the trailers are too long")) << told;
}

TEST(ParserLimitsTest, refuses_trailers_without_end_byte_after_byte) {
    std::string endless = "1\r\nx\r\n0\r\n";
    while (endless.size() < 20'000) {
        endless += "X: 1\r\n";
    }
    const std::string bytes = chunked_request(endless);

    const std::string told = parse_requests(drip(bytes));

    EXPECT_TRUE(told.find("!exhausted: ") != std::string::npos) << told;
}

TEST(ParserLimitsTest, refuses_long_chunk_headers) {
    expect_ending(chunked_request("1;" + std::string(200, 'e') + "\r\nx\r\n0\r\n\r\n"), "x<end>");
    expect_ending(chunked_request("1;" + std::string(300, 'e') + "\r\nx\r\n0\r\n\r\n"),
                  "!invalid_argument: chunk extensions must be short, on one line, and ;NAME or ;NAME=VALUE");
    expect_ending(chunked_request("1;" + std::string(20'000, 'e')),
                  "!exhausted: a chunk header or the trailers are too long");
}

TEST(ParserLimitsTest, lets_bodies_be_of_any_size) {
    const std::string large(300'000, 'b');
    const std::string told =
        parse_requests({"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n", large}, kSmall);

    EXPECT_EQ(std::count(told.begin(), told.end(), 'b'), 300'000);
    EXPECT_TRUE(told.ends_with("b<end>"));
}

}  // namespace
}  // namespace http
