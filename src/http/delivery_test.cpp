// Whether an answer was delivered: what the kernel says of the client's acknowledgements.
#include <future>
#include <semaphore>
#include <string>

#include "http/exchange.hpp"
#include "http/testing/test_server.hpp"

#include <gtest/gtest.h>

namespace http {
namespace {

using namespace std::chrono_literals;
using testing::Client;
using testing::TestServer;

constexpr std::size_t kMoreThanSocketsHold = 32UL * 1024 * 1024;

class DeliveryTest : public ::testing::Test {
protected:
    base::Task<> handle(Exchange& exchange) {
        const std::string path(exchange.request().path);
        if (path == "/again") {
            co_await read_twice(exchange);
            co_return;
        }
        if (path == "/late") {
            is_waiting_.release();
            co_await server_.gate.wait();
        }
        Response response;
        response.body.assign(path == "/large" ? kMoreThanSocketsHold : 2, 'x');
        exchange.answer(response);
        const bool is_delivered = co_await exchange.deliver(server_.clock.now() + 5s);
        delivered_.set_value(is_delivered);
    }

    static base::Task<> read_twice(Exchange& exchange) {
        std::string body = (co_await exchange.read_whole_body(1000)).value_or("");
        exchange.unread_body(std::move(body));
        Response response;
        response.body = (co_await exchange.read_whole_body(1000)).value_or("");
        response.body += (co_await exchange.read_whole_body(1000)).value_or("an error");
        exchange.answer(response);
    }

    bool is_delivered() {
        std::future<bool> future = delivered_.get_future();
        while (future.wait_for(5ms) != std::future_status::ready) {
            server_.clock.advance(50ms);
        }
        delivered_ = {};
        return future.get();
    }

    // A client that has asked for what comes when the gate opens.
    Client ask_for_late() {
        Client client(server_.endpoint);
        client.ask("GET /late");
        is_waiting_.acquire();
        return client;
    }

    std::counting_semaphore<> is_waiting_{0};
    std::promise<bool> delivered_;
    TestServer server_{testing::FunctionHandler::Functions{
        .try_answer = {},
        .handle = [this](Exchange& exchange) { return handle(exchange); },
        .finished = {},
    }};
};

TEST_F(DeliveryTest, is_an_answer_the_client_has_acknowledged) {
    Client client(server_.endpoint);
    EXPECT_EQ(client.get("/small").body, "xx");
    EXPECT_TRUE(is_delivered());
    EXPECT_EQ(client.get("/small").body, "xx");
    EXPECT_TRUE(is_delivered());
}

TEST_F(DeliveryTest, is_still_to_come_while_the_client_takes_only_a_part) {
    Client client(server_.endpoint, 4096);
    client.ask("GET /large");
    ASSERT_FALSE(client.socket.receive_some().empty());
    client.socket.close();
    EXPECT_FALSE(is_delivered());
}

TEST_F(DeliveryTest, fails_when_the_client_left_before_the_answer) {
    Client client = ask_for_late();
    client.socket.close();
    server_.gate.open();
    EXPECT_FALSE(is_delivered());
}

TEST_F(DeliveryTest, fails_when_the_client_has_reset_the_connection_before_the_answer) {
    Client client = ask_for_late();
    client.socket.reset();
    server_.gate.open();
    EXPECT_FALSE(is_delivered());
}

TEST_F(DeliveryTest, happens_also_to_a_client_that_sends_nothing_more) {
    Client client = ask_for_late();
    client.socket.end_sending();
    server_.gate.open();
    EXPECT_EQ(client.read().body, "xx");
    EXPECT_TRUE(is_delivered());
}

TEST_F(DeliveryTest, a_body_put_back_is_read_again) {
    Client client(server_.endpoint);
    client.ask_with_body("POST /again", "a body");
    EXPECT_EQ(client.read().body, "a body");
}

}  // namespace
}  // namespace http
