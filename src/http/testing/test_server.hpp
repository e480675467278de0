// A real server on loopback, with one worker, a handler made of functions, and a clock the test moves.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http/exchange.hpp"
#include "http/server.hpp"
#include "http/testing/client.hpp"
#include "net/testing/run_on.hpp"
#include "net/testing/shared_clock.hpp"
#include "net/use_task.hpp"
#include "telemetry/metrics.hpp"

namespace http::testing {

// Something to wait for on a worker until the test opens it.
class Gate {
public:
    explicit Gate(net::Worker& worker) : worker_(worker), timer_(worker.context(), std::chrono::hours(1)) {}

    base::Task<> wait() {
        if (!is_open_) {
            co_await timer_.async_wait(net::use_task);
        }
    }

    // Safe from any thread.
    void open() {
        worker_.post([this] {
            is_open_ = true;
            timer_.cancel();
        });
    }

private:
    net::Worker& worker_;
    boost::asio::steady_timer timer_;
    bool is_open_ = false;
};

// Health is what is asked of /health.
class FunctionHandler final : public RequestHandler {
public:
    struct Functions {
        std::function<std::optional<Response>(Exchange&)> try_answer;
        std::function<base::Task<>(Exchange&)> handle;
        std::function<void(const Exchange&)> finished;
    };

    explicit FunctionHandler(Functions functions) : functions_(std::move(functions)) {}

    bool try_answer(Exchange& exchange) override {
        const std::optional<Response> response = functions_.try_answer ? functions_.try_answer(exchange) : std::nullopt;
        if (response) {
            exchange.answer(*response);
        }
        return response.has_value();
    }

    base::Task<> handle(Exchange& exchange) override {
        return functions_.handle(exchange);
    }

    [[nodiscard]] bool is_health(const RequestHead& request) const override {
        return request.path == "/health";
    }

    void finished(const Exchange& exchange, base::Duration /*elapsed*/) override {
        if (functions_.finished) {
            functions_.finished(exchange);
        }
    }

private:
    Functions functions_;
};

class TestServer {
public:
    explicit TestServer(const Server::HandlerFactory& make_handler, ServerSettings limits = {})
        : settings(limits), gate(worker), server(control, {&worker}, settings, metrics, make_handler) {
        worker.start();
        control.start();
        endpoint = net::testing::call_on(control, [this] { return server.start(net::testing::loopback()); });
    }

    explicit TestServer(FunctionHandler::Functions functions, ServerSettings limits = {})
        : TestServer([&functions](net::Worker&) { return std::make_unique<FunctionHandler>(functions); }, limits) {}

    TestServer(const TestServer&) = delete;
    TestServer& operator=(const TestServer&) = delete;

    ~TestServer() {
        gate.open();
        drain(base::Duration(0));
        net::testing::run_on(control, control.tasks().wait_until_empty(std::chrono::seconds(5)));
        control.stop();
        worker.stop();
    }

    std::size_t drain(base::Duration limit) {
        return net::testing::run_on(control, server.drain(limit, std::chrono::seconds(2)));
    }

    // Everything that was ready on the worker has run until it waits again.
    void settle() {
        net::testing::call_on(worker, [] {});
    }

    // The worker has looked at its deadlines since the call.
    void await_tick() {
        std::promise<void> fired;
        std::unique_ptr<net::Deadline> deadline;
        net::testing::call_on(worker, [&] {
            deadline = std::make_unique<net::Deadline>(worker.deadlines(), [&fired] { fired.set_value(); });
            deadline->set(clock.now());
        });
        clock.advance(2 * net::DeadlineWheel::kTick);
        fired.get_future().wait();
        net::testing::call_on(worker, [&] { deadline.reset(); });
    }

    // Moves the clock by `step` again and again until the client has something to read.
    void advance_until_readable(const Client& client, base::Duration step) {
        while (!client.socket.is_readable_within(std::chrono::milliseconds(20))) {
            clock.advance(step);
        }
    }

    [[nodiscard]] double open_connections() const {
        const std::string name = "\nhokusai_http_connections_open ";
        const std::string text = metrics.render();
        return std::stod(text.substr(text.find(name) + name.size()));
    }

    net::testing::SharedClock clock;
    telemetry::Metrics metrics;
    ServerSettings settings;
    net::Worker control{"control", 0, clock};
    net::Worker worker{"worker", 1, clock};
    Gate gate;
    Server server;
    net::testing::Endpoint endpoint;
};

}  // namespace http::testing
