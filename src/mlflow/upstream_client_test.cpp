#include "mlflow/upstream_client.hpp"

#include <future>
#include <string>

#include "base/testing/fixed_random.hpp"
#include "net/testing/blocking_listener.hpp"
#include "net/testing/run_on.hpp"

#include <gtest/gtest.h>

namespace mlflow {
namespace {

class UpstreamClientTest : public ::testing::Test {
protected:
    UpstreamClientTest() {
        worker_.tasks().spawn("resolver", resolver_.run());
        worker_.start();
    }

    ~UpstreamClientTest() override {
        net::testing::call_on(worker_, [this] {
            client_.stop();
            resolver_.stop();
        });
        worker_.stop();
    }

    std::future<base::Result<UpstreamAnswer>> ask(const std::string& target,
                                                  base::Duration patience = std::chrono::seconds(5),
                                                  std::size_t max_body = 1000) {
        return net::testing::start_on(
            worker_,
            client_.get(
                {.target = target, .workspace = "team", .max_body = max_body, .limit = clock_.now() + patience}));
    }

    UpstreamSettings settings() {
        UpstreamSettings settings;
        settings.url = {.is_tls = false,
                        .host = "127.0.0.1",
                        .port = listener_.endpoint().port(),
                        .authority = "mlflow.example",
                        .base_path = "/base"};
        settings.token = base::Secret("t");
        return settings;
    }

    net::testing::BlockingListener listener_;
    base::SystemClock clock_;
    base::testing::FixedRandom random_{0.0};
    net::Worker worker_{"client", 0, clock_};
    net::NameResolver resolver_{worker_, "127.0.0.1", listener_.endpoint().port(), {}};
    resilience::CircuitBreaker breaker_{"mlflow", {}, random_, clock_.now()};
    Upstream upstream_{settings(), "a", resolver_, breaker_, clock_.now()};
    UpstreamClient client_{worker_, upstream_, "hokusai-test", std::chrono::seconds(2), 2};
};

TEST_F(UpstreamClientTest, asks_as_the_gateway_does) {
    auto answer = ask("/x?y=1");
    net::testing::BlockingSocket socket = listener_.accept();
    const std::string head = socket.receive_through("\r\n\r\n");
    EXPECT_EQ(head,
              "GET /base/x?y=1 HTTP/1.1\r\nHost: mlflow.example\r\nUser-Agent: hokusai-test\r\nAccept: "
              "application/json\r\nVia: 1.1 hokusai-a\r\nX-MLFLOW-WORKSPACE: team\r\nAuthorization: Bearer t\r\n\r\n");
    socket.send("HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\nno");
    const base::Result<UpstreamAnswer> got = answer.get();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->status, 429U);
    EXPECT_TRUE(got->asks_for_time);
    EXPECT_TRUE(got->is_whole);
    EXPECT_EQ(got->body, "no");
}

TEST_F(UpstreamClientTest, keeps_its_connection_and_opens_another_when_that_was_closed_meanwhile) {
    auto first = ask("/1");
    net::testing::BlockingSocket kept = listener_.accept();
    kept.receive_through("\r\n\r\n");
    kept.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE(first.get());

    auto second = ask("/2");
    kept.receive_through("\r\n\r\n");
    kept.close();
    net::testing::BlockingSocket fresh = listener_.accept();
    fresh.receive_through("\r\n\r\n");
    fresh.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE(second.get());
}

TEST_F(UpstreamClientTest, does_not_ask_twice_when_a_new_connection_ends) {
    auto answer = ask("/1");
    {
        net::testing::BlockingSocket socket = listener_.accept();
        socket.receive_through("\r\n\r\n");
    }
    EXPECT_FALSE(answer.get());
    EXPECT_FALSE(listener_.has_waiting_within(std::chrono::milliseconds(0)));
}

TEST_F(UpstreamClientTest, reads_no_more_than_it_was_told) {
    auto answer = ask("/1", std::chrono::seconds(5), 10);
    net::testing::BlockingSocket socket = listener_.accept();
    socket.receive_through("\r\n\r\n");
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n01234567890");
    const base::Result<UpstreamAnswer> got = answer.get();
    ASSERT_TRUE(got);
    EXPECT_FALSE(got->is_whole);
    EXPECT_EQ(got->body, "0123456789");
}

class Collector final : public UpstreamClient::Receiver {
public:
    base::Task<base::Result<void>> begin(const http::ResponseHead& head) override {
        length = head.framing.length;
        co_return base::Result<void>();
    }

    base::Task<base::Result<void>> take(std::string_view piece) override {
        body.append(piece);
        co_return body.size() <= limit ? base::Result<void>() : base::fail(base::Code::exhausted, "enough");
    }

    std::uint64_t length = 0;
    std::size_t limit = 1000;
    std::string body;
};

TEST_F(UpstreamClientTest, hands_a_body_on_that_is_larger_than_it_would_keep) {
    Collector collector;
    auto answer = net::testing::start_on(
        worker_,
        client_.receive({.target = "/1", .max_body = 3, .limit = clock_.now() + std::chrono::seconds(5)},
                        collector,
                        std::chrono::seconds(5)));
    net::testing::BlockingSocket socket = listener_.accept();
    socket.receive_through("\r\n\r\n");
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234");
    socket.send("56789");

    const base::Result<UpstreamAnswer> got = answer.get();

    ASSERT_TRUE(got);
    EXPECT_EQ(got->body, "");
    EXPECT_EQ(collector.length, 10U);
    EXPECT_EQ(collector.body, "0123456789");
}

TEST_F(UpstreamClientTest, ends_an_answer_that_its_receiver_wants_no_more_of) {
    Collector collector;
    collector.limit = 3;
    auto answer = net::testing::start_on(
        worker_,
        client_.receive(
            {.target = "/1", .limit = clock_.now() + std::chrono::seconds(5)}, collector, std::chrono::seconds(5)));
    net::testing::BlockingSocket socket = listener_.accept();
    socket.receive_through("\r\n\r\n");
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234");

    EXPECT_EQ(answer.get().error().code, base::Code::exhausted);
}

TEST_F(UpstreamClientTest, gives_up_in_time) {
    auto answer = ask("/1", std::chrono::milliseconds(100));
    const net::testing::BlockingSocket socket = listener_.accept();
    EXPECT_EQ(answer.get().error().code, base::Code::deadline_exceeded);
}

TEST_F(UpstreamClientTest, ends_what_it_asks_when_stopped) {
    auto answer = ask("/1");
    net::testing::BlockingSocket socket = listener_.accept();
    socket.receive_through("\r\n\r\n");
    net::testing::call_on(worker_, [this] { client_.stop(); });
    EXPECT_EQ(answer.get().error().code, base::Code::cancelled);
}

}  // namespace
}  // namespace mlflow
