#include "http/server.hpp"

#include <future>
#include <memory>
#include <semaphore>
#include <string>

#include "base/error.hpp"
#include "http/testing/test_server.hpp"

#include <gtest/gtest.h>

namespace http {
namespace {

using namespace std::chrono_literals;
using net::testing::start_on;
using testing::Answer;
using testing::Client;
using testing::TestServer;

class ServerTest : public ::testing::Test {
protected:
    // Answers at once; /slow once the gate is open; /stuck when it is aborted.
    base::Task<> handle(Exchange& exchange) {
        const bool is_stuck = exchange.request().path == "/stuck";
        exchange.on_abort([this] {
            if (server_) {
                server_->gate.open();
            }
        });
        exchange.context().worker.post([this] { is_waiting_.release(); });
        co_await server_->gate.wait();
        if (!is_stuck || !exchange.is_aborted()) {
            exchange.answer({.status = 200, .body = "slow", .headers = {}});
        }
    }

    void start(ServerSettings settings = {}) {
        server_ = std::make_unique<TestServer>(
            testing::FunctionHandler::Functions{.try_answer = [](Exchange& exchange) -> std::optional<Response> {
                                                    const std::string_view path = exchange.request().path;
                                                    if (path == "/slow" || path == "/stuck") {
                                                        return std::nullopt;
                                                    }
                                                    return Response{
                                                        .status = 200, .body = std::string(path), .headers = {}};
                                                },
                                                .handle = [this](Exchange& exchange) { return handle(exchange); },
                                                .finished = {}},
            settings);
    }

    std::unique_ptr<Client> connect() {
        return std::make_unique<Client>(server_->endpoint);
    }

    std::counting_semaphore<> is_waiting_{0};
    std::unique_ptr<TestServer> server_;
};

TEST_F(ServerTest, keeps_places_for_health_when_all_others_are_taken) {
    start({.max_connections = 2, .reserved_connections = 1, .limits = {}});
    const auto first = connect();
    const auto second = connect();
    EXPECT_EQ(first->get("/a").status, 200U);
    EXPECT_EQ(second->get("/b").status, 200U);

    const auto health = connect();
    const Answer alive = health->get("/health");

    EXPECT_EQ(alive.status, 200U);
    EXPECT_EQ(alive.field("Connection"), "close");
    EXPECT_TRUE(health->is_ended());
    EXPECT_EQ(first->get("/a").status, 200U) << "who has a place keeps it";
}

TEST_F(ServerTest, refuses_everything_else_on_a_reserved_place) {
    start({.max_connections = 1, .reserved_connections = 1, .limits = {}});
    const auto first = connect();
    EXPECT_EQ(first->get("/a").status, 200U);

    const auto other = connect();
    const Answer busy = other->get("/a");

    EXPECT_EQ(busy.status, 503U);
    EXPECT_EQ(busy.field("Retry-After"), "5");
    EXPECT_EQ(busy.body, R"({"detail":"too many connections; try again shortly"})");
    EXPECT_TRUE(other->is_ended());
}

TEST_F(ServerTest, takes_the_reserved_place_of_who_lingers_for_who_comes) {
    start({.max_connections = 1, .reserved_connections = 1, .limits = {}});
    const auto first = connect();
    EXPECT_EQ(first->get("/a").status, 200U);
    const auto lingering = connect();
    lingering->socket.send("GET /health HTTP/1.1\r\n");

    const auto check = connect();

    EXPECT_EQ(check->get("/health").status, 200U);
    EXPECT_EQ(lingering->socket.receive_all(), "");
    EXPECT_EQ(first->get("/a").status, 200U) << "who has a place keeps it";
}

TEST_F(ServerTest, closes_at_once_what_is_beyond_all_places) {
    start({.max_connections = 1, .reserved_connections = 0, .limits = {}});
    const auto first = connect();
    EXPECT_EQ(first->get("/a").status, 200U);

    const auto second = connect();

    EXPECT_TRUE(second->is_ended());
    EXPECT_NE(server_->metrics.render().find("\nhokusai_http_connections_refused_total 1\n"), std::string::npos);
}

TEST_F(ServerTest, gives_the_place_of_a_closed_connection_to_the_next) {
    start({.max_connections = 1, .reserved_connections = 1, .limits = {}});
    auto first = connect();
    EXPECT_EQ(first->get("/a").status, 200U);
    first.reset();
    while (server_->open_connections() > 0) {
        server_->settle();
    }

    EXPECT_EQ(connect()->get("/b").status, 200U);
}

TEST_F(ServerTest, gives_a_reserved_place_two_seconds_only) {
    start({.max_connections = 1, .reserved_connections = 1, .limits = {}});
    const auto first = connect();
    EXPECT_EQ(first->get("/a").status, 200U);
    const auto silent = connect();

    server_->advance_until_readable(*silent, 1s);

    EXPECT_TRUE(silent->is_ended());
    EXPECT_EQ(first->get("/a").status, 200U);
}

TEST_F(ServerTest, drain_ends_idle_connections_at_once_and_accepts_no_more) {
    start();
    const auto idle = connect();
    EXPECT_EQ(idle->get("/a").status, 200U);
    server_->settle();
    auto draining = start_on(server_->control, server_->server.drain(5s, 2s));

    EXPECT_TRUE(idle->is_ended());
    idle->socket.close();

    EXPECT_EQ(draining.get(), 0U);
    EXPECT_THROW(connect(), std::system_error);
}

TEST_F(ServerTest, drain_lets_a_busy_connection_finish_its_answer_and_then_ends_it) {
    start();
    const auto busy = connect();
    busy->ask("GET /slow");
    busy->ask("GET /next");
    is_waiting_.acquire();
    auto draining = start_on(server_->control, server_->server.drain(5s, 2s));
    net::testing::call_on(server_->control, [] {});
    server_->settle();
    EXPECT_EQ(draining.wait_for(0s), std::future_status::timeout);

    server_->gate.open();

    const Answer answer = busy->read();
    EXPECT_EQ(answer.body, "slow");
    EXPECT_EQ(answer.field("Connection"), "close");
    EXPECT_TRUE(busy->is_ended()) << "the request behind it is not answered";
    busy->socket.close();
    EXPECT_EQ(draining.get(), 0U);
}

TEST_F(ServerTest, drain_does_not_wait_long_for_a_client_that_keeps_its_side_open) {
    start();
    const auto idle = connect();
    EXPECT_EQ(idle->get("/a").status, 200U);
    server_->settle();
    auto draining = start_on(server_->control, server_->server.drain(5s, 2s));
    EXPECT_TRUE(idle->is_ended());
    server_->settle();

    server_->clock.advance(300ms);

    EXPECT_EQ(draining.get(), 0U);
}

TEST_F(ServerTest, drain_ends_at_its_limit_what_does_not_finish) {
    start();
    const auto stuck = connect();
    stuck->ask("GET /stuck");
    is_waiting_.acquire();
    const auto half = connect();
    half->socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTT");
    EXPECT_EQ(half->read().status, 200U);
    server_->settle();

    EXPECT_EQ(server_->drain(10ms), 2U);

    EXPECT_TRUE(stuck->is_ended());
    EXPECT_TRUE(half->is_ended());
    EXPECT_EQ(server_->open_connections(), 0);
}

TEST_F(ServerTest, stops_the_start_when_its_address_is_taken) {
    start();
    EXPECT_THROW(net::testing::call_on(server_->control, [this] { return server_->server.start(server_->endpoint); }),
                 base::ConfigError);
}

TEST(ServerWorkersTest, spreads_connections_over_its_workers) {
    const net::testing::SharedClock clock;
    telemetry::Metrics metrics;
    const ServerSettings settings;
    net::Worker one("one", 0, clock);
    net::Worker two("two", 1, clock);
    Server server(one, {&one, &two}, settings, metrics, [](net::Worker& worker) {
        return std::make_unique<testing::FunctionHandler>(testing::FunctionHandler::Functions{
            .try_answer = [&worker](Exchange& /*exchange*/) -> std::optional<Response> {
                return Response{.status = 200, .body = std::to_string(worker.index()), .headers = {}};
            },
            .handle = {},
            .finished = {}});
    });
    const net::testing::Endpoint endpoint = server.start(net::testing::loopback());
    one.start();
    two.start();
    std::string served_by;
    for (int i = 0; i < 4; ++i) {
        served_by += Client(endpoint).get("/").body;
    }

    EXPECT_EQ(served_by, "0101");
    net::testing::run_on(one, server.drain(0s, 2s));
    net::testing::run_on(one, one.tasks().wait_until_empty(5s));
    net::testing::run_on(two, two.tasks().wait_until_empty(5s));
    one.stop();
    two.stop();
}

}  // namespace
}  // namespace http
