#include "http/exchange.hpp"

#include <algorithm>
#include <atomic>
#include <future>
#include <semaphore>
#include <string>

#include "http/testing/test_server.hpp"

#include <gtest/gtest.h>

namespace http {
namespace {

using namespace std::chrono_literals;
using net::testing::call_on;
using testing::Answer;
using testing::Client;
using testing::TestServer;

constexpr std::size_t kBodyLimit = 1000;

class ExchangeTest : public ::testing::Test {
protected:
    base::Task<> handle(Exchange& exchange) {
        const std::string path(exchange.request().path);
        if (path == "/echo") {
            co_await echo(exchange);
        } else if (path == "/refuse") {
            exchange.answer(detail_response(413, "no"));
        } else if (path == "/pieces") {
            co_await answer_in_pieces(exchange);
        } else if (path == "/cut") {
            exchange.begin_answer(200);
            exchange.output() += "HTTP/1.1 200 OK\r\n\r\nhalf";
            co_await exchange.flush();
            exchange.cut_short();
        } else if (path == "/large") {
            exchange.answer({.status = 200, .body = std::string(8UL * 1024 * 1024, 'z'), .headers = {}});
        } else {
            co_await wait_for_the_gate(exchange);
        }
    }

    static base::Task<> echo(Exchange& exchange) {
        const base::Result<std::string> body = co_await exchange.read_whole_body(kBodyLimit);
        if (body) {
            exchange.answer({.status = 200, .content_type = "text/plain", .body = *body, .headers = {}});
        } else {
            const unsigned status = static_cast<unsigned>(base::http_status(body.error().code));
            exchange.answer(detail_response(status, body.error().message));
        }
    }

    // Reads and writes by turns, with a head of its own.
    static base::Task<> answer_in_pieces(Exchange& exchange) {
        exchange.begin_answer(200);
        exchange.output() += "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n";
        for (;;) {
            const base::Result<std::string_view> piece = co_await exchange.read_body();
            if (!piece || piece->empty()) {
                break;
            }
            co_await exchange.write(*piece);
        }
    }

    base::Task<> wait_for_the_gate(Exchange& exchange) {
        const std::string body = (co_await exchange.read_whole_body(kBodyLimit)).value_or("");
        exchange.on_abort([this] {
            ++aborts_;
            server_.gate.open();
        });
        exchange.watch_client();
        co_await server_.gate.wait();
        exchange.stop_watching();
        if (!exchange.is_aborted()) {
            exchange.answer({.status = 200, .body = body, .headers = {}});
        }
    }

    // Asks for `path` with `body` in one packet and returns when the handler waits for something.
    void ask_and_wait(const std::string& path, const std::string& body = "") {
        client_.socket.send("POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
                            "\r\n\r\n" + body);
        is_waiting_.acquire();
    }

    std::counting_semaphore<> is_waiting_{0};
    std::promise<unsigned> finished_;
    std::atomic<int> aborts_{0};
    TestServer server_{testing::FunctionHandler::Functions{
        .try_answer = [this](Exchange& exchange) -> std::optional<Response> {
            exchange.context().worker.post([this] { is_waiting_.release(); });
            return std::nullopt;
        },
        .handle = [this](Exchange& exchange) { return handle(exchange); },
        .finished =
            [this](const Exchange& exchange) {
                if (exchange.request().path != "/echo") {
                    finished_.set_value(exchange.answered_status());
                }
            },
    }};
    Client client_{server_.endpoint};
};

TEST_F(ExchangeTest, reads_a_body_of_known_length) {
    client_.ask_with_body("POST /echo", std::string(kBodyLimit, 'b'));
    EXPECT_EQ(client_.read().body, std::string(kBodyLimit, 'b'));

    client_.ask_with_body("POST /echo", "");
    EXPECT_EQ(client_.read().body, "");
}

TEST_F(ExchangeTest, reads_a_chunked_body_and_the_next_request_behind_it) {
    client_.ask("POST /echo", "Transfer-Encoding: chunked\r\n");
    client_.socket.send("3\r\nabc\r\n4;x\r\ndefg\r\n");
    client_.socket.send("0\r\nTrailer: 1\r\n\r\nPOST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");

    EXPECT_EQ(client_.read().body, "abcdefg");
    EXPECT_EQ(client_.read().body, "hi");
}

TEST_F(ExchangeTest, refuses_a_body_beyond_the_limit_and_ends) {
    client_.ask_with_body("POST /echo", std::string(kBodyLimit + 1, 'b'));

    const Answer answer = client_.read();

    EXPECT_EQ(answer.status, 429U);
    EXPECT_EQ(answer.body, R"({"detail":"the request body is larger than 1000 bytes"})");
    EXPECT_EQ(answer.field("Connection"), "close");
    EXPECT_TRUE(client_.is_ended());
}

TEST_F(ExchangeTest, tells_a_malformed_body) {
    client_.ask("POST /echo", "Transfer-Encoding: chunked\r\n");
    client_.socket.send("xyz\r\n");

    EXPECT_EQ(client_.read().status, 400U);
    EXPECT_TRUE(client_.is_ended());
}

TEST_F(ExchangeTest, tells_a_body_that_stalls) {
    client_.socket.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    is_waiting_.acquire();

    server_.clock.advance(61s);

    const Answer answer = client_.read();
    EXPECT_EQ(answer.status, 504U);
    EXPECT_EQ(answer.body, R"({"detail":"the request body stalled"})");
    EXPECT_TRUE(client_.is_ended());
}

TEST_F(ExchangeTest, tells_a_client_that_goes_away_while_sending_the_body) {
    client_.socket.send("POST /pieces HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\nabc");
    EXPECT_EQ(client_.read(false).status, 200U);
    EXPECT_EQ(client_.socket.receive(3), "abc");

    client_.socket.end_sending();

    EXPECT_EQ(finished_.get_future().get(), 200U);
    EXPECT_TRUE(client_.is_ended());
}

TEST_F(ExchangeTest, says_continue_when_the_handler_wants_the_body) {
    client_.ask("POST /echo", "Expect: 100-continue\r\nContent-Length: 3\r\n");
    EXPECT_EQ(client_.socket.receive_through("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");

    client_.socket.send("abc");

    EXPECT_EQ(client_.read().body, "abc");
    EXPECT_EQ(client_.get("/echo").status, 200U) << "the connection goes on";
}

TEST_F(ExchangeTest, does_not_say_continue_when_the_body_is_there_already_or_the_client_is_old) {
    client_.socket.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc");
    EXPECT_EQ(client_.read().body, "abc");

    client_.socket.send("POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    is_waiting_.acquire();
    client_.socket.send("abc");
    EXPECT_EQ(client_.read().body, "abc");
}

TEST_F(ExchangeTest, refuses_without_continue_and_ends_because_the_body_may_or_may_not_come) {
    client_.ask("POST /refuse", "Expect: 100-continue\r\nContent-Length: 3\r\n");

    const Answer answer = client_.read();

    EXPECT_EQ(answer.status, 413U);
    EXPECT_EQ(answer.field("Connection"), "close");
    EXPECT_TRUE(client_.is_ended());
}

TEST_F(ExchangeTest, streams_both_ways) {
    client_.ask("POST /pieces", "Content-Length: 12\r\n");
    client_.socket.send("abcd");
    EXPECT_EQ(client_.read(false).status, 200U);
    EXPECT_EQ(client_.socket.receive(4), "abcd");
    client_.socket.send("efgh");
    EXPECT_EQ(client_.socket.receive(4), "efgh");
    client_.socket.send("ijkl");
    EXPECT_EQ(client_.socket.receive(4), "ijkl");
}

TEST_F(ExchangeTest, waits_for_a_slow_reader_as_long_as_it_reads) {
    client_.ask("GET /large");
    const Answer head = client_.read(false);
    const std::size_t size = std::stoul(head.field("Content-Length"));

    EXPECT_EQ(client_.socket.receive(size), std::string(size, 'z'));
    EXPECT_EQ(finished_.get_future().get(), 200U);
}

TEST_F(ExchangeTest, gives_up_on_a_client_that_stops_reading) {
    Client idle(server_.endpoint, 4096);
    idle.ask("GET /large");
    const std::future<unsigned> finished = finished_.get_future();
    is_waiting_.acquire();
    while (finished.wait_for(20ms) != std::future_status::ready) {
        server_.clock.advance(61s);
    }

    EXPECT_LT(idle.socket.receive_all().size(), 8UL * 1024 * 1024);
    while (server_.open_connections() > 1) {
        server_.settle();
    }
}

TEST_F(ExchangeTest, shows_an_old_client_by_a_reset_that_the_answer_is_not_whole) {
    client_.socket.send("GET /cut HTTP/1.0\r\n\r\n");
    EXPECT_EQ(client_.socket.receive_through("half"), "HTTP/1.1 200 OK\r\n\r\nhalf");

    EXPECT_EQ(client_.socket.receive_all(), "");
    EXPECT_TRUE(client_.socket.was_reset());
}

TEST_F(ExchangeTest, tells_the_handler_that_the_client_went_away) {
    ask_and_wait("/gate");

    client_.socket.close();

    EXPECT_EQ(finished_.get_future().get(), 0U);
    EXPECT_EQ(aborts_, 1);
}

TEST_F(ExchangeTest, tells_the_handler_that_the_client_reset_the_connection) {
    ask_and_wait("/gate", "body");

    client_.socket.reset();

    EXPECT_EQ(finished_.get_future().get(), 0U);
    EXPECT_EQ(aborts_, 1);
}

TEST_F(ExchangeTest, takes_a_pipelined_request_for_no_end) {
    ask_and_wait("/gate");
    client_.ask("GET /echo");
    server_.settle();
    server_.gate.open();

    EXPECT_EQ(client_.read().status, 200U);
    EXPECT_EQ(client_.read().status, 200U);
    EXPECT_EQ(aborts_, 0);
}

TEST_F(ExchangeTest, keeps_watching_the_client_long_after_its_body_came) {
    client_.socket.send("POST /gate HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo");
    is_waiting_.acquire();
    client_.socket.send("dy");
    call_on(server_.worker, [] {});
    call_on(server_.worker, [] {});
    server_.clock.advance(61s);
    server_.await_tick();

    client_.socket.close();

    EXPECT_EQ(finished_.get_future().wait_for(1s), std::future_status::ready);
    EXPECT_EQ(aborts_, 1);
}

}  // namespace
}  // namespace http
