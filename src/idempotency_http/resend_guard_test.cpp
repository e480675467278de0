#include "idempotency_http/resend_guard.hpp"

#include "base/random.hpp"
#include "health/monitor.hpp"
#include "http/testing/test_server.hpp"
#include "idempotency/testing/memory_journal.hpp"
#include "idempotency_http/intent_keeper.hpp"
#include "idempotency_http/protected_call.hpp"
#include "mlflow/routes.hpp"
#include "registry_http/read_call.hpp"
#include "replica/registry_client.hpp"
#include "replica/testing/fake_mlflow.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

namespace idempotency {
namespace {

using namespace std::chrono_literals;
using Client = http::testing::Client;
using HttpAnswer = http::testing::Answer;
using net::testing::call_on;

constexpr const char* kVersions = "model-versions/create";
constexpr const char* kBody = R"({"name": "m", "source": "s3://b/x"})";

enum class Fate {
    answered,
    lost,     // MLflow has carried it out, and nobody is told
    refused,  // before it was sent
    hung,     // MLflow carries it out later
};

// What a process knows; a new one begins with the journal.
struct Process {
    Process(net::Worker& worker,
            IntentJournal& journal,
            net::BlockingPool& pool,
            replica::UpstreamReader& registry,
            std::function<bool()> can_ask,
            std::function<base::Task<>(base::Duration)> pause,
            const auth::Pepper& pepper,
            health::Sleeper& sleeper,
            ResendGuard::Forward forward)
        : book(journal, pool, worker.clock(), metrics),
          settler({worker, book, registry, std::move(can_ask), std::move(pause)}),
          keeper({worker, book, settler, sleeper}),
          guard({worker, book, settler, pepper, std::move(forward)}) {
        EXPECT_TRUE(book.load());
    }

    telemetry::Metrics metrics;
    IntentBook book;
    Settler settler;
    IntentKeeper keeper;
    ResendGuard guard;
};

// A worker's way to a FakeMlflow, with a guard before it.
class Stack final : public health::Sleeper {
public:
    Stack(net::Worker& worker, net::testing::SharedClock& clock, IntentJournal& journal)
        : worker_(worker), clock_(clock), journal_(journal), mlflow(worker, clock, random_) {
        restart();
    }

    // As after kill -9: what was not written is lost.
    void restart() {
        process.reset();
        process = std::make_unique<Process>(
            worker_,
            journal_,
            pool_,
            reader_,
            [this] { return can_ask; },
            [this](base::Duration duration) { return wait_until(clock_.now() + duration); },
            pepper_,
            *this,
            [this](http::Exchange& exchange, mlflow::CallObserver* observer) { return forward(exchange, observer); });
    }

    base::Task<> wait_until(base::MonotonicTime time) override {
        clock_.advance(time - clock_.now());
        if (on_pause) {
            on_pause();
        }
        co_await net::resume_on(worker_);
    }

    base::Task<> forward(http::Exchange& exchange, mlflow::CallObserver* observer) {
        ++forwarded;
        const http::RequestHead& request = exchange.request();
        const std::string method(request.method_text);
        const std::string target(mlflow::to_upstream(request).target);
        const std::string body = (co_await exchange.read_whole_body(100'000)).value_or("");
        const Fate happens = std::exchange(fate, Fate::answered);
        clock_.advance(1ms);
        replica::testing::FakeAnswer answer;
        if (happens == Fate::answered || happens == Fate::lost) {
            answer = mlflow.answer(method, target, body);
            mlflow.is_down = mlflow.is_down || dies;
        }
        if (happens == Fate::answered) {
            if (observer != nullptr) {
                co_await observer->answered(answer.status, answer.body);
            }
            http::Response response;
            response.status = answer.status;
            response.body = answer.body;
            exchange.answer(response);
            co_return;
        }
        const bool was_sent = happens != Fate::refused;
        const http::Response refusal =
            http::mlflow_error_response(was_sent ? 504 : 503, "TEMPORARILY_UNAVAILABLE", "MLflow is away");
        const bool is_answered = observer != nullptr && co_await observer->failed(refusal, was_sent);
        if (!is_answered) {
            exchange.answer(refusal);
        }
    }

private:
    net::Worker& worker_;
    net::testing::SharedClock& clock_;
    IntentJournal& journal_;
    base::SeededRandom random_{1};
    const auth::Pepper pepper_{};
    net::BlockingPool pool_{1, 64};

public:
    replica::testing::FakeMlflow mlflow;

private:
    replica::RegistryClient reader_{{worker_, pool_, [this](auto question) { return mlflow.get(std::move(question)); }},
                                    {}};

public:
    std::unique_ptr<Process> process;
    std::function<void()> on_pause;
    Fate fate = Fate::answered;  // of the next call
    bool dies = false;           // MLflow, with it
    bool can_ask = true;
    int forwarded = 0;
};

class ResendGuardTest : public ::testing::Test {
protected:
    ResendGuardTest()
        : server_([this](net::Worker& worker) {
              stack_ = std::make_unique<Stack>(worker, server_.clock, journal_);
              return std::make_unique<http::testing::FunctionHandler>(http::testing::FunctionHandler::Functions{
                  {},
                  [this](http::Exchange& exchange) {
                      return is_protected(exchange.request()) ? stack_->process->guard.handle(exchange)
                                                              : stack_->forward(exchange, nullptr);
                  },
                  {}});
          }) {
        ask("POST", "registered-models/create", R"({"name": "m"})");
    }

    HttpAnswer ask(const std::string& method,
                   const std::string& path,
                   const std::string& body,
                   const std::string& fields = {}) {
        client_.ask_with_body(method + " /api/2.0/mlflow/" + path, body, "Content-Type: application/json\r\n" + fields);
        return client_.read();
    }

    HttpAnswer create(const std::string& body = kBody, const std::string& fields = {}) {
        return ask("POST", kVersions, body, fields);
    }

    HttpAnswer create_with_key(const std::string& key, const std::string& body = kBody) {
        return create(body, "Idempotency-Key: " + key + "\r\n");
    }

    template <class Change>
    void change(Change change) {
        call_on(server_.worker, [&] { change(*stack_); });
    }

    void let(Fate fate) {
        change([fate](Stack& stack) { stack.fate = fate; });
    }

    // Straight at MLflow.
    void elsewhere(const std::string& method, const std::string& path, const std::string& body) {
        change([&](Stack& stack) { stack.mlflow.answer(method, "/api/2.0/mlflow/" + path, body); });
    }

    void keep() {
        ask("GET", "registered-models/get?name=m", "");  // is read once the call before it is over
        net::testing::run_on(server_.worker, stack_->process->keeper.do_round());
    }

    std::size_t versions() {
        const replica::testing::FakeAnswer found = call_on(
            server_.worker, [&] { return stack_->mlflow.answer("GET", "/api/2.0/mlflow/model-versions/search"); });
        const boost::json::value parsed = boost::json::parse(found.body);
        const boost::json::value* const list = parsed.get_object().if_contains("model_versions");
        return list == nullptr ? 0 : list->get_array().size();
    }

    static std::string version_in(const HttpAnswer& answer) {
        return std::string(boost::json::parse(answer.body).at("model_version").at("version").get_string());
    }

    testing::MemoryJournal journal_;
    std::unique_ptr<Stack> stack_;
    http::testing::TestServer server_;
    Client client_{server_.endpoint};
};

TEST_F(ResendGuardTest, a_create_after_a_delivered_answer_is_a_new_one) {
    EXPECT_EQ(version_in(create()), "1");
    EXPECT_EQ(version_in(create()), "2");
    keep();
    EXPECT_EQ(journal_.size(), 0U);
}

TEST_F(ResendGuardTest, an_answer_lost_on_the_way_here_is_found_while_the_client_waits) {
    create();
    let(Fate::lost);
    const HttpAnswer found = create();
    EXPECT_EQ(found.status, 200U);
    EXPECT_EQ(version_in(found), "2");
    EXPECT_EQ(version_in(create()), "3");
}

TEST_F(ResendGuardTest, a_repeat_of_a_create_whose_answer_was_lost_gets_its_answer) {
    change([](Stack& stack) { stack.dies = true; });
    let(Fate::lost);
    EXPECT_EQ(create().status, 504U);
    EXPECT_EQ(create().status, 503U);
    change([](Stack& stack) { stack.dies = stack.mlflow.is_down = false; });
    const HttpAnswer repeated = create();
    EXPECT_EQ(version_in(repeated), "1");
    EXPECT_EQ(repeated.field("Idempotency-Replayed"), "true");
    EXPECT_EQ(version_in(create()), "2");
}

TEST_F(ResendGuardTest, nothing_is_forwarded_before_an_earlier_create_of_the_model_is_settled) {
    change([](Stack& stack) { stack.dies = true; });
    let(Fate::lost);
    create();
    const int forwarded = stack_->forwarded;
    EXPECT_EQ(create(R"({"name": "m", "source": "s3://b/other"})").status, 503U);
    EXPECT_EQ(stack_->forwarded, forwarded);
    EXPECT_NE(create(R"({"name": "another", "source": "s3://b/other"})").field("Retry-After"), "-");
    EXPECT_EQ(stack_->forwarded, forwarded);

    change([](Stack& stack) { stack.dies = stack.mlflow.is_down = false; });
    EXPECT_EQ(version_in(create(R"({"name": "m", "source": "s3://b/other"})")), "2");
    EXPECT_EQ(version_in(create()), "1");
}

TEST_F(ResendGuardTest, what_was_not_carried_out_is_forwarded_again_once_that_is_believed) {
    let(Fate::hung);
    EXPECT_EQ(create().status, 504U);
    EXPECT_EQ(versions(), 0U);
    const HttpAnswer repeated = create();
    EXPECT_EQ(version_in(repeated), "1");
    EXPECT_EQ(repeated.field("Idempotency-Replayed"), "-");
    EXPECT_EQ(versions(), 1U);
}

TEST_F(ResendGuardTest, what_mlflow_carries_out_late_is_no_second_version) {
    let(Fate::hung);
    EXPECT_EQ(create().status, 504U);
    int pauses = 0;
    change([&](Stack& stack) {
        stack.on_pause = [&] {
            if (++pauses == 3) {
                stack.mlflow.answer("POST", "/api/2.0/mlflow/model-versions/create", kBody);
            }
        };
    });
    const HttpAnswer repeated = create();
    EXPECT_EQ(repeated.field("Idempotency-Replayed"), "true");
    EXPECT_EQ(versions(), 1U);
}

TEST_F(ResendGuardTest, what_was_refused_before_it_was_sent_is_forgotten) {
    let(Fate::refused);
    EXPECT_EQ(create().status, 503U);
    EXPECT_EQ(version_in(create()), "1");
    keep();
    EXPECT_EQ(journal_.size(), 0U);
}

TEST_F(ResendGuardTest, versions_made_elsewhere_are_not_taken_for_ours) {
    create();
    change([](Stack& stack) { stack.dies = true; });
    let(Fate::lost);
    create(R"({"name": "m", "source": "s3://b/ours", "description": "ours"})");
    change([](Stack& stack) { stack.dies = stack.mlflow.is_down = false; });
    elsewhere("POST", kVersions, R"({"name": "m", "source": "s3://b/ours"})");
    EXPECT_EQ(version_in(create(R"({"name": "m", "source": "s3://b/ours", "description": "ours"})")), "2");
}

TEST_F(ResendGuardTest, a_new_process_settles_what_the_old_one_left) {
    change([](Stack& stack) { stack.dies = true; });
    let(Fate::lost);
    create();
    change([](Stack& stack) {
        stack.restart();
        stack.dies = stack.mlflow.is_down = false;
    });
    keep();
    change([](Stack& stack) { stack.mlflow.is_down = true; });
    const HttpAnswer repeated = create();
    EXPECT_EQ(version_in(repeated), "1");
    EXPECT_EQ(repeated.field("Idempotency-Replayed"), "true");
}

TEST_F(ResendGuardTest, an_answer_that_was_not_delivered_is_given_for_150_seconds) {
    change([](Stack& stack) { stack.dies = true; });
    let(Fate::lost);
    create();
    change([](Stack& stack) { stack.dies = stack.mlflow.is_down = false; });
    keep();
    server_.clock.advance(149s);
    EXPECT_EQ(create().field("Idempotency-Replayed"), "true");
    EXPECT_EQ(version_in(create()), "2");

    change([](Stack& stack) { stack.dies = true; });
    let(Fate::lost);
    create();
    change([](Stack& stack) { stack.dies = stack.mlflow.is_down = false; });
    keep();
    server_.clock.advance(151s);
    EXPECT_EQ(version_in(create()), "4");
}

TEST_F(ResendGuardTest, an_equal_call_of_another_caller_is_no_repeat) {
    change([](Stack& stack) { stack.dies = true; });
    let(Fate::lost);
    create();
    change([](Stack& stack) { stack.dies = stack.mlflow.is_down = false; });
    EXPECT_EQ(version_in(create(kBody, "Authorization: Basic b3RoZXI6\r\n")), "2");
    EXPECT_EQ(version_in(create()), "1");
}

TEST_F(ResendGuardTest, models_are_created_once_too) {
    const std::string model = R"({"name": "n", "description": "d"})";
    change([](Stack& stack) { stack.dies = true; });
    let(Fate::lost);
    EXPECT_EQ(ask("POST", "registered-models/create", model).status, 504U);
    change([](Stack& stack) { stack.dies = stack.mlflow.is_down = false; });
    EXPECT_EQ(ask("POST", "registered-models/create", model).status, 200U);
    EXPECT_EQ(ask("POST", "registered-models/create", model).status, 400U);
}

TEST_F(ResendGuardTest, without_a_durable_intent_nothing_is_forwarded) {
    journal_.fail(true);
    const int forwarded = stack_->forwarded;
    const HttpAnswer refused = create();
    EXPECT_EQ(refused.status, 503U);
    EXPECT_NE(refused.field("Retry-After"), "-");
    EXPECT_EQ(stack_->forwarded, forwarded);
    journal_.fail(false);
    EXPECT_EQ(version_in(create()), "1");
}

TEST_F(ResendGuardTest, a_key_gets_the_answer_on_record_for_a_day) {
    const HttpAnswer first = create_with_key("k");
    EXPECT_EQ(first.field("Idempotency-Replayed"), "-");
    change([](Stack& stack) { stack.restart(); });
    server_.clock.advance(23h);
    const HttpAnswer again = create_with_key("k");
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(again.field("Idempotency-Replayed"), "true");
    EXPECT_EQ(version_in(create_with_key("other")), "2");
    server_.clock.advance(2h);
    EXPECT_EQ(version_in(create_with_key("k")), "3");
}

TEST_F(ResendGuardTest, a_key_is_for_one_request) {
    create_with_key("k");
    const HttpAnswer refused = create_with_key("k", R"({"name": "m", "source": "s3://b/other"})");
    EXPECT_EQ(refused.status, 422U);
    EXPECT_NE(refused.body.find("INVALID_PARAMETER_VALUE"), std::string::npos);
}

TEST_F(ResendGuardTest, refuses_what_is_no_key) {
    for (const std::string& fields : {std::string("Idempotency-Key: a\r\nIdempotency-Key: b\r\n"),
                                      std::string("Idempotency-Key:\r\n"),
                                      "Idempotency-Key: " + std::string(256, 'k') + "\r\n"}) {
        EXPECT_EQ(create(kBody, fields).status, 400U);
        client_ = Client(server_.endpoint);
    }
}

TEST_F(ResendGuardTest, a_keyed_call_of_unknown_outcome_is_not_forwarded_again) {
    const std::string tag = R"({"name": "m", "key": "a", "value": "b"})";
    const std::string key = "Idempotency-Key: k\r\n";
    let(Fate::lost);
    EXPECT_EQ(ask("POST", "registered-models/set-tag", tag, key).status, 504U);
    const int forwarded = stack_->forwarded;
    EXPECT_EQ(ask("POST", "registered-models/set-tag", tag, key).status, 504U);
    EXPECT_EQ(stack_->forwarded, forwarded);
}

TEST_F(ResendGuardTest, a_keyed_create_is_found_like_any_other) {
    change([](Stack& stack) { stack.dies = true; });
    let(Fate::lost);
    EXPECT_EQ(create_with_key("k").status, 504U);
    change([](Stack& stack) { stack.dies = stack.mlflow.is_down = false; });
    EXPECT_EQ(version_in(create_with_key("k")), "1");
    EXPECT_EQ(versions(), 1U);
}

TEST_F(ResendGuardTest, large_changes_pass_without_protection) {
    EXPECT_EQ(ask("POST", "model-versions/create", R"({"source": "s3://b/x"})").status, 400U);
    const HttpAnswer answer = ask("POST",
                                  "registered-models/set-tag",
                                  R"({"name": "m", "key": "a", "value": ")" + std::string(70'000, 'v') + R"("})",
                                  "Idempotency-Key: k\r\n");
    EXPECT_EQ(answer.status, 200U);
    keep();
    EXPECT_EQ(journal_.size(), 0U);
}

}  // namespace
}  // namespace idempotency
