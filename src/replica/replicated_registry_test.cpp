#include "replica/replicated_registry.hpp"

#include "http/testing/test_server.hpp"
#include "mlflow/routes.hpp"
#include "registry/indexed_store.hpp"
#include "registry_http/read_call.hpp"
#include "replica/testing/replica_fixture.hpp"

namespace replica {
namespace {

using Client = http::testing::Client;
using HttpAnswer = http::testing::Answer;

constexpr const char* kRoot = "/api/2.0/mlflow/";
constexpr const char* kAliasTarget = "registered-models/alias?name=m&alias=champion";

// A worker's way to a FakeMlflow, with a replica beside it.
class Stack {
public:
    Stack(net::Worker& worker, telemetry::Metrics& metrics, base::Duration read_max_age)
        : worker_(worker),
          mlflow(worker, worker.clock(), random_),
          replica(indexed_, pool_, worker.clock()),
          registry({worker,
                    replica,
                    aliases_,
                    reader_,
                    metrics,
                    [this](http::Exchange& exchange, mlflow::CallObserver* observer, std::optional<std::string> body) {
                        return forward(exchange, observer, std::move(body));
                    },
                    loads_},
                   {.read_max_age = read_max_age}) {
        EXPECT_TRUE(replica.open("http://mlflow:5000"));
    }

    // As the gateway does it.
    base::Task<> forward(http::Exchange& exchange, mlflow::CallObserver* observer, std::optional<std::string> body) {
        ++forwarded;
        co_await mlflow.dawdle();
        const http::RequestHead& request = exchange.request();
        if (!mlflow.is_down) {
            const testing::FakeAnswer answer = mlflow.answer(request.method_text,
                                                             mlflow::to_upstream(request).target,
                                                             body.value_or(""),
                                                             std::string(registry_http::workspace_of(request)));
            if (observer != nullptr) {
                co_await observer->answered(answer.status, answer.body);
            }
            http::Response response;
            response.status = answer.status;
            response.body = answer.body;
            exchange.answer(response);
            co_return;
        }
        const http::Response refusal = http::mlflow_error_response(503, "TEMPORARILY_UNAVAILABLE", "MLflow is away");
        bool is_answered = false;
        if (observer != nullptr) {
            is_answered = co_await observer->failed(refusal, false);
        }
        if (!is_answered) {
            exchange.answer(refusal);
        }
    }

    // On the worker.
    base::Task<> sweep(net::testing::SharedClock& clock) {
        mlflow::testing::ClockSleeper sleeper(clock, worker_);
        mlflow::Pace pace({clock, sleeper, [] { return true; }, [] { return false; }});
        Sweep sweep({worker_, replica, reader_, pace});
        base::Result<bool> is_done = false;
        while (is_done && !*is_done) {
            is_done = co_await sweep.step();
        }
        EXPECT_TRUE(is_done);
    }

private:
    net::Worker& worker_;
    base::SeededRandom random_{1};
    registry::testing::MemoryStore rows_;
    registry::AliasIndex aliases_;
    registry::LoadNotes loads_;
    registry::IndexedStore indexed_{rows_, aliases_};
    net::BlockingPool pool_{1, 64};

public:
    testing::FakeMlflow mlflow;
    Replica replica;

private:
    RegistryClient reader_{{worker_, pool_, [this](auto question) { return mlflow.get(std::move(question)); }}, {}};

public:
    ReplicatedRegistry registry;
    int forwarded = 0;
};

class ReplicatedRegistryTest : public ::testing::Test {
protected:
    explicit ReplicatedRegistryTest(base::Duration read_max_age = base::Duration(0))
        : server_([&](net::Worker& worker) {
              stack_ = std::make_unique<Stack>(worker, metrics_, read_max_age);
              return std::make_unique<http::testing::FunctionHandler>(http::testing::FunctionHandler::Functions{
                  [this](http::Exchange& exchange) { return try_answer(exchange); },
                  [this](http::Exchange& exchange) { return stack_->registry.handle(exchange); },
                  {}});
          }) {
        ask("POST", "registered-models/create", R"({"name": "m"})");
        ask("POST", "model-versions/create", R"({"name": "m", "source": "s3://b/x"})");
        ask("POST", "registered-models/alias", R"({"name": "m", "alias": "champion", "version": "1"})");
    }

    std::optional<http::Response> try_answer(http::Exchange& exchange) {
        return stack_->registry.find_answer(exchange);
    }

    HttpAnswer ask(const std::string& method, const std::string& target, const std::string& body = {}) {
        if (body.empty()) {
            client_.ask(method + " " + kRoot + target);
        } else {
            client_.ask_with_body(method + " " + kRoot + target, body, "Content-Type: application/json\r\n");
        }
        return client_.read();
    }

    // Straight at MLflow.
    void elsewhere(const std::string& method, const std::string& target, const std::string& body) {
        net::testing::call_on(server_.worker, [&] {
            server_.clock.advance(std::chrono::milliseconds(1));
            return stack_->mlflow.answer(method, kRoot + target, body).status;
        });
    }

    void sweep() {
        net::testing::run_on(server_.worker, stack_->sweep(server_.clock));
    }

    void set_down(bool is_down) {
        net::testing::call_on(server_.worker, [&] { stack_->mlflow.is_down = is_down; });
    }

    telemetry::Metrics metrics_;
    std::unique_ptr<Stack> stack_;
    http::testing::TestServer server_;
    Client client_{server_.endpoint};
};

TEST_F(ReplicatedRegistryTest, leaves_the_answer_to_mlflow_while_it_answers) {
    sweep();
    const HttpAnswer answer = ask("GET", kAliasTarget);
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.field("X-Hokusai-Source"), "-");
}

TEST_F(ReplicatedRegistryTest, answers_reads_from_the_replica_when_mlflow_does_not) {
    const std::string expected = ask("GET", kAliasTarget).body;
    sweep();
    set_down(true);
    server_.clock.advance(std::chrono::seconds(3));
    const HttpAnswer answer = ask("GET", kAliasTarget);
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.body, expected);
    EXPECT_EQ(answer.field("X-Hokusai-Source"), "replica");
    EXPECT_EQ(answer.field("Age"), "3");
    EXPECT_NE(answer.field("X-Hokusai-Revision"), "-");
    EXPECT_EQ(ask("POST", "registered-models/get-latest-versions", R"({"name": "m"})").status, 200U);
    EXPECT_EQ(ask("GET", "registered-models/get?name=x").status, 404U);
    EXPECT_EQ(ask("GET", "registered-models/get").status, 503U);
}

TEST_F(ReplicatedRegistryTest, tells_what_it_does_not_know_as_mlflow_s_absence) {
    set_down(true);
    EXPECT_EQ(ask("GET", "registered-models/search").status, 503U);
    EXPECT_EQ(ask("GET", "registered-models/get?name=x").status, 503U);
    EXPECT_EQ(ask("GET", kAliasTarget).status, 200U);
    EXPECT_EQ(ask("POST", "registered-models/create", R"({"name": "n"})").status, 503U);
    EXPECT_TRUE(stack_->replica.marked().empty());
}

TEST_F(ReplicatedRegistryTest, has_a_write_before_its_client_knows) {
    sweep();
    ask("POST", "registered-models/set-tag", R"({"name": "m", "key": "k", "value": "v"})");
    set_down(true);
    EXPECT_NE(ask("GET", "registered-models/get?name=m").body.find(R"("key": "k")"), std::string::npos);
}

TEST_F(ReplicatedRegistryTest, passes_on_what_is_no_registry_call_and_what_it_does_not_understand) {
    set_down(true);
    EXPECT_EQ(ask("GET", "experiments/search").status, 503U);
    EXPECT_EQ(ask("POST", "registered-models/create", "{").status, 503U);
    EXPECT_EQ(ask("POST", "registered-models/create", R"({"nome": "m"})").status, 503U);
}

TEST_F(ReplicatedRegistryTest, refuses_a_body_no_registry_call_has) {
    const HttpAnswer answer = ask("POST", "registered-models/create", std::string(2UL << 20U, 'x'));
    EXPECT_EQ(answer.status, 400U);
}

class ReplicaFirstTest : public ReplicatedRegistryTest {
protected:
    ReplicaFirstTest() : ReplicatedRegistryTest(std::chrono::seconds(5)) {
        sweep();
    }

    // Whether MLflow was asked for it.
    bool is_forwarded(const std::string& target) {
        const int before = stack_->forwarded;
        EXPECT_EQ(ask("GET", target).status, 200U);
        return stack_->forwarded > before;
    }
};

TEST_F(ReplicaFirstTest, answers_by_itself_what_was_confirmed_of_late) {
    for (const char* const target : {kAliasTarget,
                                     "registered-models/get?name=m",
                                     "registered-models/search",
                                     "model-versions/get?name=m&version=1",
                                     "model-versions/search",
                                     "registered-models/get-latest-versions?name=m"}) {
        EXPECT_FALSE(is_forwarded(target)) << target;
    }
    const HttpAnswer answer = ask("GET", kAliasTarget);
    EXPECT_EQ(answer.field("X-Hokusai-Source"), "replica");
    EXPECT_EQ(answer.field("Age"), "0");

    server_.clock.advance(std::chrono::seconds(6));
    for (const char* const target : {kAliasTarget, "registered-models/get?name=m", "registered-models/search"}) {
        EXPECT_TRUE(is_forwarded(target)) << target;
    }
    EXPECT_FALSE(is_forwarded(kAliasTarget));
    EXPECT_FALSE(is_forwarded("registered-models/get?name=m"));
    EXPECT_FALSE(is_forwarded("model-versions/get?name=m&version=1"));
    EXPECT_TRUE(is_forwarded("registered-models/search"));
}

TEST_F(ReplicaFirstTest, asks_mlflow_whether_something_is_missing) {
    elsewhere("POST", "registered-models/create", R"({"name": "new"})");
    EXPECT_TRUE(is_forwarded("registered-models/get?name=new"));
    EXPECT_TRUE(stack_->replica.is_marked({"", "new"}));
}

TEST_F(ReplicaFirstTest, learns_from_what_passes_through) {
    elsewhere("POST", "model-versions/create", R"({"name": "m", "source": "s3://b/x"})");
    elsewhere("POST", "registered-models/alias", R"({"name": "m", "alias": "champion", "version": "2"})");
    EXPECT_NE(ask("GET", kAliasTarget).body.find(R"("version": "1")"), std::string::npos);
    server_.clock.advance(std::chrono::seconds(6));
    EXPECT_TRUE(is_forwarded(kAliasTarget));
    EXPECT_FALSE(is_forwarded(kAliasTarget));
    EXPECT_NE(ask("GET", kAliasTarget).body.find(R"("version": "2")"), std::string::npos);
}

TEST_F(ReplicaFirstTest, shows_a_client_its_own_writes) {
    for (int i = 0; i < 5; ++i) {
        const std::string value = std::to_string(i);
        ask("PATCH", "model-versions/update", R"({"name": "m", "version": "1", "description": ")" + value + R"("})");
        EXPECT_NE(ask("GET", kAliasTarget).body.find(R"("description": ")" + value), std::string::npos);
        EXPECT_NE(ask("GET", "model-versions/get?name=m&version=1").body.find(R"("description": ")" + value),
                  std::string::npos);
        EXPECT_NE(ask("GET", "model-versions/search").body.find(R"("description": ")" + value), std::string::npos);
    }
}

TEST_F(ReplicaFirstTest, asks_mlflow_after_a_write_of_unknown_outcome) {
    net::testing::call_on(server_.worker, [&] {
        stack_->mlflow.spoil = [](std::string_view target) -> std::optional<testing::FakeAnswer> {
            return target.find("set-tag") == std::string_view::npos ? std::nullopt
                                                                    : std::optional(testing::FakeAnswer{500, "<html>"});
        };
    });
    EXPECT_EQ(ask("POST", "registered-models/set-tag", R"({"name": "m", "key": "k", "value": "v"})").status, 500U);
    EXPECT_TRUE(stack_->replica.is_marked({"", "m"}));
    EXPECT_TRUE(is_forwarded(kAliasTarget));
    EXPECT_TRUE(is_forwarded("registered-models/search"));
    EXPECT_TRUE(is_forwarded("model-versions/get?name=m&version=1"));
}

}  // namespace
}  // namespace replica
