#include "http/server_connection.hpp"

#include <stdexcept>
#include <string>

#include "http/testing/test_server.hpp"

#include <gtest/gtest.h>

namespace http {
namespace {

using namespace std::chrono_literals;
using testing::Answer;
using testing::Client;
using testing::TestServer;

// Answers with the path, except: /slow once the gate is open, /throw with an exception, /mute not at all.
class ServerConnectionTest : public ::testing::Test {
protected:
    std::optional<Response> try_answer(Exchange& exchange) {
        const std::string_view path = exchange.request().path;
        if (path == "/slow" || path == "/throw" || path == "/mute") {
            return std::nullopt;
        }
        Response response;
        response.body = path;
        response.content_type = "text/plain";
        if (path == "/empty") {
            response = {.status = 204, .content_type = {}, .body = {}, .headers = {{"X-Own", "1"}}};
        }
        return response;
    }

    base::Task<> handle(Exchange& exchange) {
        const std::string path(exchange.request().path);
        if (path == "/throw") {
            throw std::runtime_error("on purpose");
        }
        if (path == "/slow") {
            co_await server_.gate.wait();
            exchange.answer({.status = 200, .body = path, .headers = {}});
        }
    }

    TestServer server_{testing::FunctionHandler::Functions{
        .try_answer = [this](Exchange& exchange) { return try_answer(exchange); },
        .handle = [this](Exchange& exchange) { return handle(exchange); },
        .finished = {},
    }};
    Client client_{server_.endpoint};
};

TEST_F(ServerConnectionTest, answers_request_after_request_on_one_connection) {
    for (const std::string path : {"/1", "/2", "/3"}) {
        const Answer answer = client_.get(path);

        EXPECT_EQ(answer.status, 200U);
        EXPECT_EQ(answer.body, path);
        EXPECT_EQ(answer.field("Content-Type"), "text/plain");
        EXPECT_EQ(answer.field("Date"), "Thu, 14 Aug 2025 12:00:00 GMT");
        EXPECT_EQ(answer.field("Connection"), "-");
    }
    EXPECT_EQ(server_.open_connections(), 1);
}

TEST_F(ServerConnectionTest, answers_pipelined_requests_in_their_order) {
    client_.ask("GET /slow");
    client_.ask("GET /fast");
    client_.ask("HEAD /head");
    client_.ask("GET /last");
    Client other(server_.endpoint);
    EXPECT_EQ(other.get("/other").body, "/other") << "one connection does not hold up another";
    EXPECT_FALSE(client_.socket.is_readable_within(0ms));

    server_.gate.open();

    EXPECT_EQ(client_.read().body, "/slow");
    EXPECT_EQ(client_.read().body, "/fast");
    EXPECT_EQ(client_.read(false).field("Content-Length"), "5");
    EXPECT_EQ(client_.read().body, "/last");
}

TEST_F(ServerConnectionTest, takes_a_request_byte_after_byte) {
    for (const char byte : std::string("GET /bytes HTTP/1.1\r\nHost: a\r\n\r\n")) {
        client_.socket.send({&byte, 1});
    }
    EXPECT_EQ(client_.read().body, "/bytes");
}

TEST_F(ServerConnectionTest, sends_no_body_to_head_and_none_with_204) {
    client_.ask("HEAD /path");
    const Answer head = client_.read(false);
    EXPECT_EQ(head.field("Content-Length"), "5");

    const Answer empty = client_.get("/empty");
    EXPECT_EQ(empty.status, 204U);
    EXPECT_EQ(empty.field("Content-Length"), "-");
    EXPECT_EQ(empty.field("Content-Type"), "-");
    EXPECT_EQ(empty.field("X-Own"), "1");
    EXPECT_EQ(client_.get("/next").body, "/next");
}

TEST_F(ServerConnectionTest, closes_when_the_client_asks_for_it) {
    const Answer answer = client_.get("/", "Connection: close\r\n");

    EXPECT_EQ(answer.field("Connection"), "close");
    EXPECT_TRUE(client_.is_ended());
}

TEST_F(ServerConnectionTest, keeps_http_1_0_only_when_asked) {
    client_.socket.send("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(client_.read().field("Connection"), "keep-alive");

    client_.socket.send("GET /old HTTP/1.0\r\n\r\n");
    EXPECT_EQ(client_.read().field("Connection"), "close");
    EXPECT_TRUE(client_.is_ended());
}

TEST_F(ServerConnectionTest, answers_what_came_before_a_malformed_request_and_then_refuses_and_ends) {
    client_.ask("GET /good");
    client_.socket.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n");

    EXPECT_EQ(client_.read().body, "/good");
    const Answer refusal = client_.read();

    EXPECT_EQ(refusal.status, 400U);
    EXPECT_EQ(refusal.body, R"({"detail":"a request needs exactly one Host field"})");
    EXPECT_EQ(refusal.field("Connection"), "close");
    EXPECT_TRUE(client_.is_ended());
}

TEST_F(ServerConnectionTest, refuses_a_head_beyond_its_limits_with_431) {
    client_.ask("GET /", "X: " + std::string(70'000, 'x') + "\r\n");

    const Answer refusal = client_.read();

    EXPECT_EQ(refusal.status, 431U);
    EXPECT_EQ(refusal.body, R"({"detail":"the head is too long"})");
    EXPECT_TRUE(client_.is_ended());
}

TEST_F(ServerConnectionTest, answers_500_when_a_handler_throws_and_names_the_request_id) {
    const Answer answer = client_.get("/throw", "X-Request-Id: my-id\r\n");

    EXPECT_EQ(answer.status, 500U);
    EXPECT_EQ(answer.body, R"({"detail":"internal error; quote request id my-id to the operator"})");
    EXPECT_EQ(answer.body.find("on purpose"), std::string::npos);
    EXPECT_TRUE(client_.is_ended());
}

TEST_F(ServerConnectionTest, answers_500_when_a_handler_forgets_to_answer) {
    EXPECT_EQ(client_.get("/mute").status, 500U);
    EXPECT_TRUE(client_.is_ended());
}

TEST_F(ServerConnectionTest, drops_a_small_body_nobody_read_and_goes_on) {
    client_.ask_with_body("POST /1", std::string(60'000, 'b'));
    EXPECT_EQ(client_.read().body, "/1");
    EXPECT_EQ(client_.get("/2").body, "/2");
}

TEST_F(ServerConnectionTest, ends_after_a_large_body_nobody_read_and_lets_the_client_read_the_answer) {
    client_.ask_with_body("POST /1", std::string(700'000, 'b'));

    const Answer answer = client_.read();

    EXPECT_EQ(answer.body, "/1");
    EXPECT_EQ(answer.field("Connection"), "close");
    EXPECT_TRUE(client_.is_ended());
}

TEST_F(ServerConnectionTest, keeps_harmless_request_ids_and_replaces_others) {
    EXPECT_EQ(client_.get("/", "X-Request-Id: aZ0-_.\r\n").field("X-Request-Id"), "aZ0-_.");
    EXPECT_EQ(client_.get("/", "X-Request-Id: " + std::string(128, 'a') + "\r\n").field("X-Request-Id").size(), 128U);

    const std::string first = client_.get("/").field("X-Request-Id");
    const std::string second = client_.get("/", "X-Request-Id: a b\r\n").field("X-Request-Id");
    const std::string third = client_.get("/", "X-Request-Id: " + std::string(129, 'a') + "\r\n").field("X-Request-Id");

    EXPECT_EQ(first.size(), 24U);
    EXPECT_EQ(second.size(), 24U);
    EXPECT_EQ(third.size(), 24U);
    EXPECT_NE(first, second);
}

TEST_F(ServerConnectionTest, ends_a_new_connection_that_says_nothing) {
    server_.advance_until_readable(client_, 4s);

    EXPECT_TRUE(client_.is_ended());
}

TEST_F(ServerConnectionTest, gives_a_head_ten_seconds_from_its_first_byte) {
    Client later(server_.endpoint);
    // The first bytes come in one packet with a whole request, so that its answer shows that they have arrived.
    client_.socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /first HTT");
    EXPECT_EQ(client_.read().status, 200U);
    server_.settle();
    server_.clock.advance(6s);
    later.socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTT");
    EXPECT_EQ(later.read().status, 200U);
    server_.settle();
    server_.clock.advance(5s);

    const Answer late = client_.read();
    EXPECT_EQ(late.status, 408U);
    EXPECT_EQ(late.body, R"({"detail":"the request head did not arrive in time"})");
    EXPECT_TRUE(client_.is_ended());
    later.socket.send("P/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(later.read().body, "/second");
}

TEST_F(ServerConnectionTest, lets_a_connection_rest_for_75_seconds_between_requests) {
    Client later(server_.endpoint);
    EXPECT_EQ(client_.get("/").status, 200U);
    server_.settle();
    server_.clock.advance(40s);
    EXPECT_EQ(later.get("/").status, 200U);
    server_.settle();
    server_.clock.advance(40s);

    EXPECT_TRUE(client_.is_ended());
    EXPECT_EQ(later.get("/still").body, "/still");
}

TEST_F(ServerConnectionTest, ends_when_the_client_ends) {
    EXPECT_EQ(client_.get("/").status, 200U);
    client_.socket.end_sending();

    EXPECT_TRUE(client_.is_ended());
}

TEST_F(ServerConnectionTest, answers_a_client_that_has_already_ended_its_side) {
    client_.ask("GET /half");
    client_.socket.end_sending();

    EXPECT_EQ(client_.read().body, "/half");
    EXPECT_TRUE(client_.is_ended());
}

}  // namespace
}  // namespace http
