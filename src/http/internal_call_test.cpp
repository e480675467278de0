#include "http/internal_call.hpp"

#include "http/testing/test_server.hpp"

#include <gtest/gtest.h>

namespace {

using base::Code;
using http::InternalAnswer;
using http::InternalCall;
using http::InternalRequest;

constexpr std::size_t kEnough = 1024UL * 1024;

class InternalCallTest : public testing::Test {
protected:
    InternalCallTest() {
        worker.start();
    }

    ~InternalCallTest() override {
        gate.open();
        worker.stop();
    }

    // Makes one call on the worker and waits for its end.
    base::Result<InternalAnswer> call(InternalRequest request,
                                      InternalCall::Handle handle,
                                      std::size_t max_body = kEnough) {
        return start(std::move(request), std::move(handle), max_body).get();
    }

    std::future<base::Result<InternalAnswer>> start(InternalRequest request,
                                                    InternalCall::Handle handle,
                                                    std::size_t max_body = kEnough) {
        return net::testing::start_on(worker, make(std::move(request), std::move(handle), max_body));
    }

    base::Task<base::Result<InternalAnswer>> make(InternalRequest request,
                                                  InternalCall::Handle handle,
                                                  std::size_t max_body) {
        InternalCall one(worker, settings, origin, std::move(handle));
        current = &one;
        base::Result<InternalAnswer> answer =
            co_await one.make(std::move(request), worker.now() + std::chrono::seconds(10), max_body);
        current = nullptr;
        co_return answer;
    }

    [[nodiscard]] std::size_t tasks() {
        return net::testing::call_on(worker, [this] { return worker.tasks().size(); });
    }

    net::testing::SharedClock clock;
    http::ServerSettings settings;
    InternalCall::Origin origin{{"key-1", "ann"}, boost::asio::ip::make_address("192.0.2.7")};
    net::Worker worker{"worker", 0, clock};
    http::testing::Gate gate{worker};
    InternalCall* current = nullptr;
};

base::Task<> describe(http::Exchange& exchange, std::string& seen) {
    const base::Result<std::string> body = co_await exchange.read_whole_body(kEnough);
    seen = std::string(exchange.request().method_text) + " " + std::string(exchange.request().target) + " " + *body +
           " " + std::string(exchange.caller.key_id) + " " + std::string(exchange.peer_text());
    http::Response response = http::detail_response(418, "tea");
    response.headers.emplace_back("Retry-After", "7");
    response.headers.emplace_back("X-Hokusai-Source", "replica");
    response.headers.emplace_back("Age", "12");
    exchange.answer(response);
}

TEST_F(InternalCallTest, the_handler_sees_a_request_like_any_other) {
    std::string seen;
    const auto answer =
        call({.method = "POST", .target = "/a%2Fb?c=d", .fields = "Content-Type: application/json\r\n", .body = "{}"},
             [&seen](http::Exchange& exchange) { return describe(exchange, seen); });
    EXPECT_EQ(seen, "POST /a%2Fb?c=d {} key-1 192.0.2.7");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 418);
    EXPECT_EQ(answer->body, R"({"detail":"tea"})");
    EXPECT_EQ(answer->retry_after, "7");
    EXPECT_EQ(answer->source, "replica");
    EXPECT_EQ(answer->age, "12");
    EXPECT_EQ(tasks(), 0);
}

TEST_F(InternalCallTest, bodies_larger_than_any_buffer_pass_both_ways) {
    const std::string large(3UL * 1024 * 1024, 'x');
    const auto answer = call(
        {.method = "PUT", .target = "/", .body = large},
        [](http::Exchange& exchange) -> base::Task<> {
            http::Response response;
            response.body = *co_await exchange.read_whole_body(8 * kEnough);
            exchange.answer(response);
        },
        8 * kEnough);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, large);
}

TEST_F(InternalCallTest, an_answer_past_its_bound_is_refused) {
    const auto answer = call(
        {.target = "/"},
        [](http::Exchange& exchange) -> base::Task<> {
            http::Response response;
            response.body = std::string(2048, 'x');
            exchange.answer(response);
            co_return;
        },
        2047);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Code::exhausted);
    EXPECT_EQ(tasks(), 0);
}

TEST_F(InternalCallTest, a_handler_that_throws_is_an_internal_error) {
    const auto answer = call({.target = "/"}, [](http::Exchange&) -> base::Task<> {
        throw std::runtime_error("broken");
        co_return;
    });
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 500);
}

// Until its caller has gone.
base::Task<> wait_for_abort(http::Exchange& exchange, http::testing::Gate& gate, std::promise<void>& waiting) {
    exchange.on_abort([&gate] { gate.open(); });
    waiting.set_value();
    co_await gate.wait();
}

// Too much, and then nothing until its caller has gone.
base::Task<> answer_and_wait(http::Exchange& exchange, http::testing::Gate& gate) {
    exchange.on_abort([&gate] { gate.open(); });
    exchange.answer_head({}, 1U << 30U);
    co_await exchange.write(std::string(2048, 'x'));
    co_await gate.wait();
}

TEST_F(InternalCallTest, the_handler_of_a_refused_answer_is_told) {
    const auto answer =
        call({.target = "/"}, [this](http::Exchange& exchange) { return answer_and_wait(exchange, gate); }, 2047);
    EXPECT_EQ(answer.error().code, Code::exhausted);
    EXPECT_EQ(tasks(), 0);
}

TEST_F(InternalCallTest, the_handler_learns_that_its_caller_has_gone) {
    std::promise<void> waiting;
    auto answer = start({.target = "/"},
                        [this, &waiting](http::Exchange& exchange) { return wait_for_abort(exchange, gate, waiting); });
    waiting.get_future().wait();
    net::testing::call_on(worker, [this] { current->abort(); });
    const auto result = answer.get();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::cancelled);
    EXPECT_EQ(tasks(), 0);
}

TEST_F(InternalCallTest, a_call_past_its_limit_ends_with_its_handler) {
    std::promise<void> waiting;
    auto answer = start({.target = "/"},
                        [this, &waiting](http::Exchange& exchange) { return wait_for_abort(exchange, gate, waiting); });
    waiting.get_future().wait();
    while (answer.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready) {
        clock.advance(std::chrono::seconds(1));
    }
    const auto result = answer.get();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::deadline_exceeded);
}

}  // namespace
