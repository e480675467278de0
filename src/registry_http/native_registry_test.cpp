#include "registry_http/native_registry.hpp"

#include <atomic>
#include <functional>
#include <future>
#include <stdexcept>
#include <string>

#include "base/testing/manual_clock.hpp"
#include "net/testing/worker_fixture.hpp"
#include "registry/testing/memory_store.hpp"

#include <gtest/gtest.h>

namespace registry_http {
namespace {

using registry::Operation;

// A store in memory that fails, throws or waits when the test wants it.
class TroubledStore final : public registry::Store {
public:
    base::Result<void> read(const std::function<base::Result<void>(registry::Reader&)>& work) override {
        return before_read ? before_read() : store_.read(work);
    }

    base::Result<void> write(const std::function<base::Result<void>(registry::Writer&)>& work) override {
        if (before_write) {
            const base::Result<void> trouble = before_write();
            if (!trouble) {
                return trouble;
            }
        }
        return store_.write(work);
    }

    std::function<base::Result<void>()> before_read;
    std::function<base::Result<void>()> before_write;

private:
    registry::testing::MemoryStore store_;
};

// Holds up whoever comes first until the test opens it.
class Turnstile {
public:
    base::Result<void> pass() {
        if (!has_arrived_.exchange(true)) {
            arrived_.set_value();
            opened_.get_future().wait();
        }
        return {};
    }

    void wait_for_arrival() {
        arrived_.get_future().wait();
    }

    void open() {
        opened_.set_value();
    }

private:
    std::atomic<bool> has_arrived_{false};
    std::promise<void> arrived_;
    std::promise<void> opened_;
};

registry::Call create(const std::string& name) {
    return {.operation = Operation::create_model,
            .method = "POST",
            .workspace = "",
            .query = "",
            .content_type = "application/json",
            .body = R"({"name":")" + name + R"("})",
            .user = ""};
}

registry::Call get(const std::string& name) {
    return {.operation = Operation::get_model,
            .method = "GET",
            .workspace = "",
            .query = "name=" + name,
            .content_type = "",
            .body = "",
            .user = ""};
}

std::string retry_after(const http::Response& response) {
    return response.headers.empty() ? "-" : response.headers[0].second;
}

class NativeRegistryTest : public net::testing::WorkerFixture {
protected:
    void TearDown() override {
        reads_.join();
        writes_.join();
        worker.stop();
    }

    http::Response ask(registry::Call call) {
        return run(native_.answer(worker, std::move(call)));
    }

    std::future<http::Response> start(registry::Call call) {
        return net::testing::start_on(worker, native_.answer(worker, std::move(call)));
    }

    TroubledStore store_;
    base::testing::ManualClock wall_;
    registry::Registry registry_{store_, wall_};
    net::BlockingPool reads_{1, 2};
    net::BlockingPool writes_{1, 2};
    NativeRegistry native_{registry_, reads_, writes_};
    NativeRegistry hasty_{registry_, reads_, writes_, std::chrono::milliseconds(20)};
};

TEST_F(NativeRegistryTest, answers_what_the_registry_answers) {
    const http::Response created = ask(create("m"));
    EXPECT_EQ(created.status, 200U);
    EXPECT_EQ(created.content_type, "application/json");
    EXPECT_TRUE(created.body.starts_with("{\n  \"registered_model\": {\n    \"name\": \"m\"")) << created.body;

    EXPECT_EQ(ask(get("m")).body, created.body);
    EXPECT_EQ(ask(get("n")).status, 404U);
    EXPECT_EQ(ask(create("m")).status, 400U);
}

TEST_F(NativeRegistryTest, says_when_to_come_back_while_the_store_is_in_trouble) {
    store_.before_read = [] { return base::fail(base::Code::unavailable, "the disk is full"); };

    const http::Response refused = ask(get("m"));

    EXPECT_EQ(refused.status, 503U);
    EXPECT_EQ(retry_after(refused), "15");
    store_.before_read = nullptr;
    EXPECT_EQ(ask(get("m")).status, 404U);
}

TEST_F(NativeRegistryTest, tells_damage_from_trouble_that_passes) {
    store_.before_read = [] { return base::fail(base::Code::data_loss, "a row cannot be read"); };

    EXPECT_EQ(ask(get("m")).status, 500U);
}

TEST_F(NativeRegistryTest, keeps_what_is_thrown_from_the_caller) {
    store_.before_read = []() -> base::Result<void> { throw std::runtime_error("SELECT secret"); };

    const http::Response failed = ask(get("m"));

    EXPECT_EQ(failed.status, 500U);
    EXPECT_EQ(failed.body.find("secret"), std::string::npos);
}

TEST_F(NativeRegistryTest, refuses_promptly_when_too_many_calls_wait) {
    Turnstile turnstile;
    store_.before_write = [&] { return turnstile.pass(); };
    std::future<http::Response> first = start(create("a"));
    turnstile.wait_for_arrival();
    std::future<http::Response> second = start(create("b"));

    const http::Response refused = ask(create("c"));

    EXPECT_EQ(refused.status, 503U);
    EXPECT_EQ(retry_after(refused), "15");
    turnstile.open();
    EXPECT_EQ(first.get().status, 200U);
    EXPECT_EQ(second.get().status, 200U);
}

TEST_F(NativeRegistryTest, reads_while_writes_wait_for_the_disk) {
    Turnstile turnstile;
    store_.before_write = [&] { return turnstile.pass(); };
    std::future<http::Response> writing = start(create("a"));
    turnstile.wait_for_arrival();

    EXPECT_EQ(ask(get("a")).status, 404U);

    turnstile.open();
    EXPECT_EQ(writing.get().status, 200U);
}

TEST_F(NativeRegistryTest, does_not_know_the_outcome_of_a_write_it_gave_up_on) {
    Turnstile turnstile;
    store_.before_write = [&] { return turnstile.pass(); };
    std::future<http::Response> begun = net::testing::start_on(worker, hasty_.answer(worker, create("a")));
    turnstile.wait_for_arrival();
    std::future<http::Response> waiting = net::testing::start_on(worker, hasty_.answer(worker, create("b")));

    const http::Response unknown = begun.get();
    EXPECT_EQ(unknown.status, 504U);
    EXPECT_NE(unknown.body.find("look before repeating it"), std::string::npos);
    const http::Response untouched = waiting.get();
    EXPECT_EQ(untouched.status, 503U);
    EXPECT_EQ(retry_after(untouched), "15");

    turnstile.open();
    writes_.join();
    EXPECT_EQ(ask(get("a")).status, 200U);
    EXPECT_EQ(ask(get("b")).status, 404U) << "nobody waited for it any more";
}

TEST_F(NativeRegistryTest, lets_a_read_that_takes_too_long_be_repeated) {
    Turnstile turnstile;
    store_.before_read = [&] { return turnstile.pass(); };

    const http::Response overdue = run(hasty_.answer(worker, get("a")));

    EXPECT_EQ(overdue.status, 503U);
    turnstile.open();
}

}  // namespace
}  // namespace registry_http
