#include "offline/offline_runs.hpp"

#include "http/testing/test_server.hpp"
#include "journal/testing/memory_journal_store.hpp"

#include <gtest/gtest.h>

namespace offline {
namespace {

constexpr const char* kRun = R"({"run": {"info": {"run_id": "r1", "run_name": "n", "status": "RUNNING"}}})";
constexpr const char* kTag = R"({"run_id": "r1", "key": "k", "value": "v"})";

// What the gateway does, with an MLflow that is there or not.
class FakeGateway {
public:
    base::Task<> handle(http::Exchange& exchange, mlflow::CallObserver* observer, std::optional<std::string> body) {
        ++calls;
        last_body = body.value_or("");
        if (is_down) {
            http::Response refusal = http::mlflow_error_response(503, "TEMPORARILY_UNAVAILABLE", "MLflow is away");
            refusal.headers.emplace_back("Retry-After", "17");
            bool is_answered = false;
            if (observer != nullptr) {
                is_answered = co_await observer->failed(refusal, false);
            }
            if (!is_answered) {
                exchange.answer(refusal);
            }
            co_return;
        }
        http::Response response;
        response.status = status;
        response.body = answer;
        if (observer != nullptr) {
            co_await observer->answered(response.status, response.body);
        }
        exchange.answer(response);
    }

    std::atomic<bool> is_down = false;
    unsigned status = 200;
    std::string answer = "{}";
    int calls = 0;
    std::string last_body;
};

class OfflineRunsTest : public ::testing::Test {
protected:
    explicit OfflineRunsTest(bool accepts = true, journal::JournalSettings bounds = {})
        : server_([&, accepts, bounds](net::Worker& worker) {
              journal_ = std::make_unique<journal::Journal>(
                  journal::Journal::Deps{store_, pool_, worker.clock(), metrics_}, bounds);
              runs_ = std::make_unique<journal::KnownLanes>(worker.clock(), 10);
              calls_ = std::make_unique<OfflineRuns>(
                  OfflineRuns::Deps{
                      worker,
                      *journal_,
                      *runs_,
                      params_,
                      [this] { return is_drained_soon_.load(); },
                      [this](
                          http::Exchange& exchange, mlflow::CallObserver* observer, std::optional<std::string> body) {
                          return gateway_.handle(exchange, observer, std::move(body));
                      }},
                  accepts);
              return std::make_unique<http::testing::FunctionHandler>(http::testing::FunctionHandler::Functions{
                  {}, [this](http::Exchange& exchange) { return calls_->handle(exchange); }, {}});
          }) {}

    ~OfflineRunsTest() override {
        pool_.join();
    }

    http::testing::Answer ask(const std::string& method, const std::string& call, const std::string& body = {}) {
        http::testing::Client client(server_.endpoint);
        const std::string line = method + " /api/2.0/mlflow/runs/" + call;
        if (body.empty()) {
            client.ask(line);
        } else {
            client.ask_with_body(line, body, "Content-Type: application/json\r\n");
        }
        return client.read();
    }

    // A run that MLflow told of, and then MLflow is gone.
    void see_run_and_lose_mlflow() {
        gateway_.answer = kRun;
        EXPECT_EQ(ask("POST", "create", R"({"experiment_id": "7"})").status, 200U);
        gateway_.answer = "{}";
        gateway_.is_down = true;
    }

    FakeGateway gateway_;
    std::atomic<bool> is_drained_soon_ = false;
    journal::testing::MemoryJournalStore store_;
    net::BlockingPool pool_{1, 1000};
    telemetry::Metrics metrics_;
    std::unique_ptr<journal::Journal> journal_;
    std::unique_ptr<journal::KnownLanes> runs_;
    KnownParams params_{1U << 20U};
    std::unique_ptr<OfflineRuns> calls_;
    http::testing::TestServer server_;
};

TEST_F(OfflineRunsTest, a_write_of_a_known_run_is_accepted_while_mlflow_is_away) {
    see_run_and_lose_mlflow();
    const auto answer = ask("POST", "set-tag", kTag);
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.body, "{}");
    EXPECT_EQ(answer.field("X-Hokusai-Source"), "journal");
    ASSERT_EQ(store_.entries.size(), 1U);
    EXPECT_EQ(store_.entries.begin()->second.body, kTag);
    EXPECT_EQ(store_.entries.begin()->second.lane, "run//r1");
    EXPECT_EQ(store_.entries.begin()->second.target, "/api/2.0/mlflow/runs/set-tag");
}

TEST_F(OfflineRunsTest, a_run_nobody_saw_is_refused_as_ever) {
    gateway_.is_down = true;
    const auto answer = ask("POST", "set-tag", kTag);
    EXPECT_EQ(answer.status, 503U);
    EXPECT_EQ(answer.field("Retry-After"), "17");
    EXPECT_TRUE(store_.entries.empty());
}

TEST_F(OfflineRunsTest, a_call_that_passed_makes_its_run_known) {
    EXPECT_EQ(ask("POST", "set-tag", kTag).status, 200U);
    gateway_.is_down = true;
    EXPECT_EQ(ask("POST", "set-tag", kTag).status, 200U);
}

TEST_F(OfflineRunsTest, a_call_mlflow_refused_does_not) {
    gateway_.status = 404;
    EXPECT_EQ(ask("POST", "set-tag", kTag).status, 404U);
    gateway_.is_down = true;
    EXPECT_EQ(ask("POST", "set-tag", kTag).status, 503U);
}

TEST_F(OfflineRunsTest, further_writes_go_behind_those_that_wait) {
    see_run_and_lose_mlflow();
    EXPECT_EQ(ask("POST", "set-tag", kTag).status, 200U);
    gateway_.is_down = false;
    const int calls = gateway_.calls;
    EXPECT_EQ(ask("POST", "set-tag", kTag).field("X-Hokusai-Source"), "journal");
    EXPECT_EQ(gateway_.calls, calls);
    EXPECT_EQ(store_.entries.size(), 2U);
    EXPECT_EQ(ask("POST", "set-tag", R"({"run_id": "r2", "key": "k", "value": "v"})").status, 200U);
    EXPECT_EQ(gateway_.calls, calls + 1);
}

TEST_F(OfflineRunsTest, what_cannot_wait_must_not_overtake) {
    see_run_and_lose_mlflow();
    EXPECT_EQ(ask("POST", "set-tag", kTag).status, 200U);
    gateway_.is_down = false;
    const int calls = gateway_.calls;
    for (const char* call : {"delete", "restore", "delete-tag"}) {
        const auto answer = ask("POST", call, R"({"run_id": "r1", "key": "k"})");
        EXPECT_EQ(answer.status, 503U) << call;
        EXPECT_EQ(answer.field("Retry-After"), "5") << call;
    }
    EXPECT_EQ(ask("POST", "log-metric", R"({"run_id": "r1", "key": "m", "value": true, "timestamp": 1})").status, 503U);
    EXPECT_EQ(ask("POST", "log-batch", "{\"run_id\": \"r1\"" + std::string((1U << 20U) + 1, ' ') + "}").status, 503U);
    EXPECT_EQ(gateway_.calls, calls);
}

TEST_F(OfflineRunsTest, what_mlflow_would_refuse_is_refused) {
    see_run_and_lose_mlflow();
    EXPECT_EQ(ask("POST", "set-tag", R"({"run_id": "r1", "key": "a?"})").status, 400U);
    EXPECT_EQ(ask("POST", "set-tag", R"({"key": "a"})").status, 400U);
    EXPECT_TRUE(store_.entries.empty());
}

TEST_F(OfflineRunsTest, a_deleted_run_takes_no_writes) {
    gateway_.answer = kRun;
    ask("GET", "get?run_id=r1");
    ask("POST", "delete", R"({"run_id": "r1"})");
    gateway_.is_down = true;
    const auto answer = ask("POST", "set-tag", kTag);
    EXPECT_EQ(answer.status, 400U);
    EXPECT_NE(answer.body.find("The run r1 must be in the 'active' state. Current state is deleted."),
              std::string::npos);
}

TEST_F(OfflineRunsTest, a_parameter_takes_no_second_value) {
    see_run_and_lose_mlflow();
    EXPECT_EQ(ask("POST", "log-parameter", R"({"run_id": "r1", "key": "p", "value": "1"})").status, 200U);
    EXPECT_EQ(ask("POST", "log-parameter", R"({"run_id": "r1", "key": "p", "value": "1"})").status, 200U);
    EXPECT_EQ(ask("POST", "log-parameter", R"({"run_id": "r1", "key": "p", "value": "2"})").status, 400U);
}

TEST_F(OfflineRunsTest, an_update_is_answered_with_what_is_known) {
    see_run_and_lose_mlflow();
    const auto answer = ask("POST", "update", R"({"run_id": "r1", "status": "FINISHED", "end_time": 5})");
    EXPECT_EQ(answer.status, 200U);
    EXPECT_NE(answer.body.find(R"("status": "FINISHED")"), std::string::npos) << answer.body;
    EXPECT_NE(answer.body.find(R"("run_name": "n")"), std::string::npos) << answer.body;
    EXPECT_NE(ask("POST", "update", R"({"run_id": "r1", "run_name": "m"})").body.find(R"("end_time": 5)"),
              std::string::npos);
}

TEST_F(OfflineRunsTest, a_disk_that_fails_refuses) {
    see_run_and_lose_mlflow();
    store_.fails = [](const journal::Batch&) { return true; };
    const auto answer = ask("POST", "set-tag", kTag);
    EXPECT_EQ(answer.status, 503U);
    EXPECT_EQ(answer.field("Retry-After"), "17");
    EXPECT_NE(answer.body.find("the disk is full"), std::string::npos);
}

TEST_F(OfflineRunsTest, a_read_of_a_run_and_its_creation_are_refused_as_ever) {
    see_run_and_lose_mlflow();
    EXPECT_EQ(ask("GET", "get?run_id=r1").status, 503U);
    EXPECT_EQ(ask("POST", "create", "{}").status, 503U);
}

class RefusingOfflineRunsTest : public OfflineRunsTest {
protected:
    RefusingOfflineRunsTest() : OfflineRunsTest(false) {}
};

TEST_F(RefusingOfflineRunsTest, takes_only_what_has_others_before_it) {
    see_run_and_lose_mlflow();
    EXPECT_EQ(ask("POST", "set-tag", kTag).status, 503U);
    journal::Entry left;
    left.lane = "run//r1";
    ASSERT_TRUE(net::testing::run_on(server_.worker, journal_->accept(server_.worker, left)));
    EXPECT_EQ(ask("POST", "set-tag", kTag).field("X-Hokusai-Source"), "journal");
}

}  // namespace
}  // namespace offline
