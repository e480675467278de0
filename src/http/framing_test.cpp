#include "http/framing.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message_parser.hpp"
#include "http/testing/parse_all.hpp"

#include <gtest/gtest.h>

namespace http {
namespace {

// The verdict on a head: its framing, or why it is refused.
std::string verdict_on(const std::string& bytes) {
    RequestParser parser({});
    const base::Result<ParseStep> step = parser.parse(bytes);
    if (!step) {
        return step.error().code == base::Code::invalid_argument ? "refused"
                                                                 : std::string(to_string(step.error().code));
    }
    return step->event == ParseStep::Event::head ? testing::describe(parser.head().framing) : "needs more";
}

std::string verdict_on_fields(const std::string& fields, const char* version = "1.1") {
    return verdict_on("POST / HTTP/" + std::string(version) + "\r\nHost: a\r\n" + fields + "\r\n0\r\n\r\n");
}

std::string verdict_on_answer(const std::string& fields, const char* version = "1.1", Method method = Method::get) {
    ResponseParser parser({});
    parser.start(method);
    const base::Result<ParseStep> step = parser.parse("HTTP/" + std::string(version) + " 200 OK\r\n" + fields + "\r\n");
    return step ? testing::describe(parser.head().framing) : "refused";
}

struct Row {
    std::string fields;
    std::string verdict;
};

TEST(RequestFraming, takes_transfer_encoding_only_when_it_is_exactly_chunked) {
    const std::vector<Row> rows{
        {"Transfer-Encoding: chunked\r\n", "chunked"},
        {"transfer-encoding: CHUNKED\r\n", "chunked"},
        {"Transfer-Encoding: \t chunked \t\r\n", "chunked"},
        {"Transfer-Encoding: chunked, identity\r\n", "refused"},
        {"Transfer-Encoding: identity, chunked\r\n", "refused"},
        {"Transfer-Encoding: chunked, chunked\r\n", "refused"},
        {"Transfer-Encoding: chunked,\r\n", "refused"},
        {"Transfer-Encoding: ,chunked\r\n", "refused"},
        {"Transfer-Encoding: xchunked\r\n", "refused"},
        {"Transfer-Encoding: chunkedx\r\n", "refused"},
        {"Transfer-Encoding: chunked;q=1\r\n", "refused"},
        {"Transfer-Encoding: \"chunked\"\r\n", "refused"},
        {"Transfer-Encoding: 'chunked'\r\n", "refused"},
        {"Transfer-Encoding: \vchunked\r\n", "refused"},
        {"Transfer-Encoding: gzip\r\n", "refused"},
        {"Transfer-Encoding: gzip, chunked\r\n", "refused"},
        {"Transfer-Encoding: identity\r\n", "refused"},
        {"Transfer-Encoding:\r\n", "refused"},
        {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "refused"},
        {"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "refused"},
        {"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", "refused"},
        {"Transfer-Encoding : chunked\r\n", "refused"},
        {"Transfer-Encoding:\r\n chunked\r\n", "refused"},
        {"Transfer_Encoding: chunked\r\n", "none"},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(verdict_on_fields(row.fields), row.verdict) << row.fields;
    }
    EXPECT_EQ(verdict_on_fields("Transfer-Encoding: chunked\r\n", "1.0"), "refused");
}

TEST(RequestFraming, takes_only_hosts_that_nobody_could_read_differently) {
    for (const char* host : {"a", "a.example:80", "a_b.example", "127.0.0.1", "[::1]:8000", "a:", ""}) {
        EXPECT_EQ(verdict_on("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), "none") << host;
    }
    for (const char* host : {"a b",
                             "a,b",
                             "a/b",
                             "u@a",
                             "a%2eb",
                             "[::1",
                             "[]",
                             "[::1]x",
                             "::1",
                             "a:b",
                             "a:-1",
                             "a:1:2",
                             "<a>",
                             "\xC3\xA9"}) {
        EXPECT_EQ(verdict_on("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), "refused") << host;
    }
}

TEST(RequestFraming, takes_one_content_length_of_plain_digits) {
    const std::vector<Row> rows{
        {"Content-Length: 5\r\n", "length 5"},
        {"content-LENGTH: 5\r\n", "length 5"},
        {"Content-Length:  5 \r\n", "length 5"},
        {"Content-Length: 0\r\n", "none"},
        {"Content-Length: 0005\r\n", "length 5"},
        {"Content-Length: 9223372036854775807\r\n", "length 9223372036854775807"},
        {"Content-Length: 9223372036854775808\r\n", "refused"},
        {"Content-Length: 18446744073709551616\r\n", "refused"},
        {"Content-Length: 99999999999999999999999999\r\n", "refused"},
        {"Content-Length: +5\r\n", "refused"},
        {"Content-Length: -5\r\n", "refused"},
        {"Content-Length: -0\r\n", "refused"},
        {"Content-Length: 5x\r\n", "refused"},
        {"Content-Length: 0x5\r\n", "refused"},
        {"Content-Length: 5.0\r\n", "refused"},
        {"Content-Length: 1e3\r\n", "refused"},
        {"Content-Length: 5 5\r\n", "refused"},
        {"Content-Length: \"5\"\r\n", "refused"},
        {"Content-Length:\r\n", "refused"},
        {"Content-Length: 5, 5\r\n", "refused"},
        {"Content-Length: 5, 6\r\n", "refused"},
        {"Content-Length: 5,\r\n", "refused"},
        {"Content-Length: ,5\r\n", "refused"},
        {"Content-Length: 5\r\nContent-Length: 5\r\n", "refused"},
        {"Content-Length: 5\r\nContent-Length: 6\r\n", "refused"},
        {"Content-Length: 0\r\nContent-Length: 5\r\n", "refused"},
        {"Content-Length : 5\r\n", "refused"},
        {"Content-Length: 5\r\n 5\r\n", "refused"},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(verdict_on_fields(row.fields), row.verdict) << row.fields;
    }
}

TEST(RequestFraming, refuses_both_ways_of_framing_at_once) {
    EXPECT_EQ(verdict_on_fields("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), "refused");
    EXPECT_EQ(verdict_on_fields("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), "refused");
    EXPECT_EQ(verdict_on_fields("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"), "refused");
    EXPECT_EQ(verdict_on_fields("Transfer-Encoding: identity\r\nContent-Length: 5\r\n"), "refused");
}

TEST(RequestFraming, relies_on_no_check_of_the_parser_before_it) {
    using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;
    for (const Pairs& fields : {Pairs{{"Transfer-Encoding", "chunked"}, {"transfer-encoding", "chunked"}},
                                Pairs{{"Transfer-Encoding", "chunked"}, {"Content-Length", "5"}},
                                Pairs{{"Transfer-Encoding", "chunked, identity"}},
                                Pairs{{"Content-Length", "5"}, {"content-length", "5"}},
                                Pairs{{"Content-Length", "+5"}},
                                Pairs{{"Content-Length", " 5 "}},
                                Pairs{{"Content-Length", "5, 5"}},
                                Pairs{{"Content-Length", ""}},
                                Pairs{{"Content-Length", "18446744073709551616"}}}) {
        RequestHead head;
        head.method = Method::post;
        head.target = "/";
        head.fields.add("Host", "a");
        for (const auto& [name, value] : fields) {
            head.fields.add(name, value);
        }

        const base::Result<void> verdict = validate_framing(head);

        ASSERT_FALSE(verdict) << fields.front().first << ": " << fields.front().second;
        EXPECT_EQ(verdict.error().code, base::Code::invalid_argument);
    }
}

TEST(ResponseFraming, relies_on_no_check_of_the_parser_before_it) {
    ResponseHead head;
    head.status = 200;
    head.fields.add("Content-Length", "5");
    head.fields.add("Content-Length", "6");
    EXPECT_FALSE(validate_framing(head, Method::get));

    head.fields.clear();
    head.fields.add("Content-Length", "5");
    head.fields.add("Transfer-Encoding", "chunked");
    EXPECT_FALSE(validate_framing(head, Method::get));
}

TEST(RequestFraming, refuses_lines_that_parsers_end_differently) {
    EXPECT_EQ(verdict_on("GET / HTTP/1.1\nHost: a\n\n"), "refused");
    EXPECT_EQ(verdict_on("GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"), "refused");
    EXPECT_EQ(verdict_on("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"), "refused");
    EXPECT_EQ(verdict_on("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), "refused");
}

TEST(RequestFraming, needs_one_host) {
    const auto verdict_on_host = [](const std::string& fields, const char* version = "1.1") {
        return verdict_on("GET / HTTP/" + std::string(version) + "\r\n" + fields + "\r\n");
    };

    for (const char* host : {"a", "a.b:80", "127.0.0.1:5000", "[::1]:80", ""}) {
        EXPECT_EQ(verdict_on_host("Host: " + std::string(host) + "\r\n"), "none") << host;
    }
    for (const char* host : {"a b", "a/b", "a,b", "user@a", "a?b", "a#b", "a\\b", "http://a", "a\tb"}) {
        EXPECT_EQ(verdict_on_host("Host: " + std::string(host) + "\r\n"), "refused") << host;
    }
    EXPECT_EQ(verdict_on_host(""), "refused");
    EXPECT_EQ(verdict_on_host("Host: a\r\nHost: a\r\n"), "refused");
    EXPECT_EQ(verdict_on_host("Host: a\r\nhost: b\r\n"), "refused");
    EXPECT_EQ(verdict_on_host("", "1.0"), "none");
    EXPECT_EQ(verdict_on_host("Host: a\r\nHost: b\r\n", "1.0"), "refused");
}

// The path and query a target is taken for, or "refused".
std::string target_of(const std::string& method, const std::string& target, const std::string& host = "a") {
    RequestParser parser({});
    const auto step = parser.parse(method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    return step ? std::string(parser.head().path) + " | " + std::string(parser.head().query) : "refused";
}

TEST(RequestFraming, splits_the_target_into_path_and_query) {
    EXPECT_EQ(target_of("GET", "/"), "/ | ");
    EXPECT_EQ(target_of("GET", "/a/b?c=1&d=?"), "/a/b | c=1&d=?");
    EXPECT_EQ(target_of("GET", "/a?"), "/a | ");
    EXPECT_EQ(target_of("GET", "/?/a"), "/ | /a");
    EXPECT_EQ(target_of("GET", "//a"), "//a | ");
    EXPECT_EQ(target_of("GET", "/a%3Fb"), "/a%3Fb | ");
    EXPECT_EQ(target_of("OPTIONS", "*"), "* | ");
}

TEST(RequestFraming, takes_an_absolute_target_of_the_same_host) {
    EXPECT_EQ(target_of("GET", "http://a/b?c"), "/b | c");
    EXPECT_EQ(target_of("GET", "HTTP://A/b"), "/b | ");
    EXPECT_EQ(target_of("GET", "https://a:8/b", "a:8"), "/b | ");
    EXPECT_EQ(target_of("GET", "http://a"), "/ | ");
    EXPECT_EQ(target_of("GET", "http://b/"), "refused");
    EXPECT_EQ(target_of("GET", "http://a:80/"), "refused");
    EXPECT_EQ(target_of("GET", "http://user@a/"), "refused");
    EXPECT_EQ(target_of("GET", "http:///b"), "refused");
    EXPECT_EQ(target_of("GET", "ftp://a/b"), "refused");
}

TEST(RequestFraming, takes_an_absolute_target_with_a_query_and_no_path) {
    EXPECT_EQ(target_of("GET", "http://a?c"), "/ | c");  // RFC 9112, section 3.2.1: an empty path is sent as "/"
}

TEST(RequestFraming, refuses_other_targets) {
    EXPECT_EQ(target_of("GET", "*"), "refused");
    EXPECT_EQ(target_of("CONNECT", "a:443"), "refused");
    EXPECT_EQ(target_of("GET", "a"), "refused");
    EXPECT_EQ(target_of("GET", "?a"), "refused");
    EXPECT_EQ(target_of("GET", "/a#b"), "refused");
    EXPECT_EQ(target_of("GET", "/a?b#c"), "refused");
    EXPECT_EQ(target_of("GET", "/a\\b"), "refused");
    EXPECT_EQ(target_of("GET", "/a b"), "refused");
    EXPECT_EQ(target_of("GET", "/a\x01"), "refused");
    EXPECT_EQ(target_of("GET", "/a\x7f"), "refused");
}

TEST(RequestFraming, keeps_the_connection_as_the_versions_say) {
    const auto keeps = [](const std::string& version, const std::string& fields) {
        RequestParser parser({});
        EXPECT_TRUE(parser.parse("GET / HTTP/" + version + "\r\nHost: a\r\n" + fields + "\r\n"));
        return parser.head().is_keep_alive;
    };

    EXPECT_TRUE(keeps("1.1", ""));
    EXPECT_TRUE(keeps("1.1", "Connection: upgrade, keep-alive\r\n"));
    EXPECT_FALSE(keeps("1.1", "Connection: close\r\n"));
    EXPECT_FALSE(keeps("1.1", "Connection: TE , CLOSE\r\n"));
    EXPECT_FALSE(keeps("1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
    EXPECT_FALSE(keeps("1.0", ""));
    EXPECT_TRUE(keeps("1.0", "Connection: keep-alive\r\n"));
    EXPECT_FALSE(keeps("1.0", "Connection: keep-alive, close\r\n"));
}

TEST(RequestFraming, limits_how_many_fields_connection_names) {
    const auto with_names = [](int count) {
        std::string names = "close";
        for (int i = 1; i < count; ++i) {
            names += ",x";
        }
        return "Connection: " + names + "\r\n";
    };

    EXPECT_EQ(verdict_on_fields("Content-Length: 5\r\n" + with_names(32)), "length 5");
    EXPECT_EQ(verdict_on_fields(with_names(33)), "refused");
    EXPECT_EQ(verdict_on_fields(with_names(20) + with_names(20)), "refused");
    EXPECT_EQ(verdict_on_answer(with_names(33)), "refused");
}

TEST(ResponseFraming, follows_the_same_rules_and_lets_equal_lengths_pass) {
    EXPECT_EQ(verdict_on_answer("Transfer-Encoding: chunked\r\n"), "chunked");
    EXPECT_EQ(verdict_on_answer("Content-Length: 7\r\n"), "length 7");
    EXPECT_EQ(verdict_on_answer("Content-Length: 0\r\n"), "none");
    EXPECT_EQ(verdict_on_answer("Content-Length: 7\r\nContent-Length: 7\r\n"), "length 7");
    EXPECT_EQ(verdict_on_answer(""), "until close");
    EXPECT_EQ(verdict_on_answer("", "1.0"), "until close");

    EXPECT_EQ(verdict_on_answer("Content-Length: 7\r\nContent-Length: 8\r\n"), "refused");
    EXPECT_EQ(verdict_on_answer("Content-Length: +7\r\n"), "refused");
    EXPECT_EQ(verdict_on_answer("Transfer-Encoding: gzip\r\n"), "refused");
    EXPECT_EQ(verdict_on_answer("Transfer-Encoding: gzip, chunked\r\n"), "refused");
    EXPECT_EQ(verdict_on_answer("Transfer-Encoding: chunked\r\n", "1.0"), "refused");
    EXPECT_EQ(verdict_on_answer("Transfer-Encoding: chunked\r\nContent-Length: 7\r\n"), "refused");
    EXPECT_EQ(verdict_on_answer("Content-Length: 7\r\n", "1.1", Method::head), "none");
    EXPECT_EQ(verdict_on_answer("", "1.1", Method::head), "none");
}

TEST(ResponseFraming, keeps_a_connection_only_when_the_body_ends_before_it) {
    const auto keeps = [](const std::string& fields) {
        ResponseParser parser({});
        EXPECT_TRUE(parser.parse("HTTP/1.1 200 OK\r\n" + fields + "\r\n"));
        return parser.head().is_keep_alive;
    };

    EXPECT_TRUE(keeps("Content-Length: 1\r\n"));
    EXPECT_TRUE(keeps("Transfer-Encoding: chunked\r\n"));
    EXPECT_FALSE(keeps(""));
    EXPECT_FALSE(keeps("Content-Length: 1\r\nConnection: close\r\n"));
}

}  // namespace
}  // namespace http
