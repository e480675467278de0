#include <string>
#include <vector>

#include "mlflow/rewrite.hpp"
#include "mlflow/testing/heads.hpp"

#include <gtest/gtest.h>

namespace mlflow {
namespace {

using http::Framing;
using testing::lines_of;
using testing::ParsedAnswer;
using testing::values_of;
using Values = std::vector<std::string>;

class ClientHeadTest : public ::testing::Test {
protected:
    ClientHeadTest() {
        rules_.via_name = "hokusai-a";
        facts_.request_id = "r-1";
    }

    std::string rewrite(const ParsedAnswer& answer) {
        std::string head;
        append_client_head(head, *answer, facts_, rules_);
        return head;
    }

    RewriteRules rules_;
    ResponseFacts facts_;
};

TEST_F(ClientHeadTest, is_the_answer_with_our_own_fields) {
    const std::string head = rewrite(ParsedAnswer({"HTTP/1.1 200 OK",
                                                   "date: Thu, 14 Aug 2025 12:00:00 GMT",
                                                   "server: uvicorn",
                                                   "content-type: application/json",
                                                   "content-length: 2",
                                                   "Set-Cookie: a=1; Path=/",
                                                   "set-cookie: b=2",
                                                   "Content-Encoding: gzip",
                                                   "ETag: \"x\""}));
    EXPECT_EQ(lines_of(head),
              (Values{"HTTP/1.1 200 OK",
                      "date: Thu, 14 Aug 2025 12:00:00 GMT",
                      "server: uvicorn",
                      "content-type: application/json",
                      "Set-Cookie: a=1; Path=/",
                      "set-cookie: b=2",
                      "Content-Encoding: gzip",
                      "ETag: \"x\"",
                      "Via: 1.1 hokusai-a",
                      "X-Request-Id: r-1",
                      "Content-Length: 2"}));
}

TEST_F(ClientHeadTest, passes_status_reason_and_redirects_as_they_are) {
    EXPECT_EQ(lines_of(rewrite(ParsedAnswer({"HTTP/1.1 418 I'm a teapot", "Content-Length: 0"}))).front(),
              "HTTP/1.1 418 I'm a teapot");
    EXPECT_EQ(lines_of(rewrite(ParsedAnswer({"HTTP/1.1 599 ", "Content-Length: 0"}))).front(), "HTTP/1.1 599 ");
    const std::string redirect = rewrite(
        ParsedAnswer({"HTTP/1.1 308 Permanent Redirect", "Location: http://mlflow:5000/x/", "Content-Length: 0"}));
    EXPECT_EQ(values_of(redirect, "location"), Values{"http://mlflow:5000/x/"});
}

TEST_F(ClientHeadTest, drops_what_belongs_to_one_hop_or_is_named_by_connection) {
    const std::string head = rewrite(ParsedAnswer({"HTTP/1.1 200 OK",
                                                   "Connection: close, X-One",
                                                   "Keep-Alive: timeout=5",
                                                   "Proxy-Authenticate: Basic",
                                                   "Trailer: X-Checksum",
                                                   "Upgrade: h2c",
                                                   "X-One: 1",
                                                   "X-Two: 2",
                                                   "WWW-Authenticate: Bearer",
                                                   "Content-Length: 0"}));
    for (const char* name : {"connection", "keep-alive", "proxy-authenticate", "trailer", "upgrade", "x-one"}) {
        EXPECT_EQ(values_of(head, name), Values{}) << name;
    }
    EXPECT_EQ(values_of(head, "x-two"), Values{"2"});
    EXPECT_EQ(values_of(head, "www-authenticate"), Values{"Bearer"});
}

TEST_F(ClientHeadTest, keeps_one_request_id_and_none_of_our_names_from_upstream) {
    const std::string head = rewrite(ParsedAnswer({"HTTP/1.1 200 OK",
                                                   "X-Request-ID: theirs",
                                                   "X-Hokusai-Cache: forged",
                                                   "x_hokusai_user_id: forged",
                                                   "Content-Length: 0"}));
    EXPECT_EQ(values_of(head, "x-request-id"), Values{"r-1"});
    EXPECT_EQ(head.find("forged"), std::string::npos) << head;
}

TEST_F(ClientHeadTest, appends_itself_to_the_via_chain) {
    const std::string head =
        rewrite(ParsedAnswer({"HTTP/1.0 200 OK", "Via: 1.1 nginx", "via: 1.1 varnish", "Content-Length: 0"}));
    EXPECT_EQ(values_of(head, "via"), Values{"1.1 nginx, 1.1 varnish, 1.0 hokusai-a"});
}

TEST_F(ClientHeadTest, says_how_the_connection_goes_on_where_the_version_does_not) {
    const auto connection_of = [this](unsigned client_minor_version, bool will_close) {
        facts_.client_minor_version = client_minor_version;
        facts_.will_close = will_close;
        return values_of(rewrite(ParsedAnswer({"HTTP/1.1 200 OK", "Content-Length: 0"})), "connection");
    };
    EXPECT_EQ(connection_of(1, false), Values{});
    EXPECT_EQ(connection_of(1, true), Values{"close"});
    EXPECT_EQ(connection_of(0, false), Values{"keep-alive"});
    EXPECT_EQ(connection_of(0, true), Values{"close"});
}

TEST_F(ClientHeadTest, puts_our_own_cross_origin_fields_in_the_place_of_upstream_s) {
    const ParsedAnswer answer({"HTTP/1.1 200 OK",
                               "Access-Control-Allow-Origin: *",
                               "access-control-allow-credentials: false",
                               "Vary: Accept",
                               "Content-Length: 0"});
    EXPECT_EQ(values_of(rewrite(answer), "access-control-allow-origin"), Values{"*"});

    facts_.cors_fields = "Access-Control-Allow-Origin: https://ui.example\r\nVary: Origin\r\n";
    const std::string head = rewrite(answer);
    EXPECT_EQ(values_of(head, "access-control-allow-origin"), Values{"https://ui.example"});
    EXPECT_EQ(values_of(head, "access-control-allow-credentials"), Values{});
    EXPECT_EQ(values_of(head, "vary"), (Values{"Accept", "Origin"}));
}

struct FramingRow {
    Framing::Kind upstream;
    unsigned client_minor_version;
    Framing::Kind client;
};

TEST(ClientFraming, is_what_the_client_s_version_can_read) {
    using Kind = Framing::Kind;
    for (const auto& [upstream, version, client] : {
             FramingRow{Kind::none, 1, Kind::none},
             FramingRow{Kind::none, 0, Kind::none},
             FramingRow{Kind::length, 1, Kind::length},
             FramingRow{Kind::length, 0, Kind::length},
             FramingRow{Kind::chunked, 1, Kind::chunked},
             FramingRow{Kind::chunked, 0, Kind::until_close},
             FramingRow{Kind::until_close, 1, Kind::chunked},
             FramingRow{Kind::until_close, 0, Kind::until_close},
         }) {
        http::ResponseHead answer;
        answer.framing = {upstream, 42};
        EXPECT_EQ(client_framing(answer, version).kind, client) << static_cast<int>(upstream) << ' ' << version;
        EXPECT_EQ(client_framing(answer, version).length, 42U);
    }
}

TEST_F(ClientHeadTest, frames_the_body_for_the_client) {
    const ParsedAnswer chunked({"HTTP/1.1 200 OK", "Transfer-Encoding: chunked"});
    const ParsedAnswer until_close({"HTTP/1.0 200 OK"});
    const ParsedAnswer repeated({"HTTP/1.1 200 OK", "Content-Length: 7", "Content-Length: 7"});

    EXPECT_EQ(values_of(rewrite(chunked), "transfer-encoding"), Values{"chunked"});
    EXPECT_EQ(values_of(rewrite(until_close), "transfer-encoding"), Values{"chunked"});
    EXPECT_EQ(values_of(rewrite(until_close), "content-length"), Values{});
    EXPECT_EQ(values_of(rewrite(repeated), "content-length"), Values{"7"});
    EXPECT_EQ(values_of(rewrite(repeated), "transfer-encoding"), Values{});

    facts_.client_minor_version = 0;
    facts_.will_close = true;
    for (const ParsedAnswer* answer : {&chunked, &until_close}) {
        EXPECT_EQ(values_of(rewrite(*answer), "transfer-encoding"), Values{});
        EXPECT_EQ(values_of(rewrite(*answer), "content-length"), Values{});
        EXPECT_EQ(values_of(rewrite(*answer), "connection"), Values{"close"});
    }
}

TEST_F(ClientHeadTest, tells_the_length_of_an_empty_body) {
    EXPECT_EQ(values_of(rewrite(ParsedAnswer({"HTTP/1.1 200 OK", "Content-Length: 0"})), "content-length"),
              Values{"0"});
}

TEST_F(ClientHeadTest, tells_the_length_a_body_would_have_had) {
    const std::string not_modified = rewrite(ParsedAnswer({"HTTP/1.1 304 Not Modified", "Content-Length: 1234"}));
    EXPECT_EQ(values_of(not_modified, "content-length"), Values{"1234"});

    const std::string head = rewrite(ParsedAnswer({"HTTP/1.1 200 OK", "Content-Length: 5678"}, http::Method::head));
    EXPECT_EQ(values_of(head, "content-length"), Values{"5678"});
}

TEST_F(ClientHeadTest, frames_nothing_where_no_body_follows) {
    for (const std::string& head : {
             rewrite(ParsedAnswer({"HTTP/1.1 204 No Content"})),
             rewrite(ParsedAnswer({"HTTP/1.1 304 Not Modified"})),
             rewrite(ParsedAnswer({"HTTP/1.1 200 OK"}, http::Method::head)),
             rewrite(ParsedAnswer({"HTTP/1.1 200 OK", "Transfer-Encoding: chunked"}, http::Method::head)),
         }) {
        EXPECT_EQ(values_of(head, "content-length"), Values{}) << head;
        EXPECT_EQ(values_of(head, "transfer-encoding"), Values{}) << head;
    }
}

}  // namespace
}  // namespace mlflow
