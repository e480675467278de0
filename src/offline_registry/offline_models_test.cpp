#include "offline_registry/offline_models.hpp"

#include "base/random.hpp"
#include "http/testing/test_server.hpp"
#include "journal/testing/memory_journal_store.hpp"
#include "mlflow/testing/clock_sleeper.hpp"
#include "registry/alias_index.hpp"
#include "replica/registry_client.hpp"
#include "replica/replicated_registry.hpp"
#include "replica/sweep.hpp"
#include "replica/testing/fake_mlflow.hpp"
#include "replica/testing/faulty_store.hpp"

#include <gtest/gtest.h>

namespace offline_registry {
namespace {

using HttpAnswer = http::testing::Answer;

constexpr const char* kRoot = "/api/2.0/mlflow/";
constexpr const char* kVersions = "model-versions/create";
constexpr const char* kVersion = R"({"name": "m", "source": "s3://b/ours"})";
constexpr const char* kAliases = "registered-models/alias";
constexpr const char* kAlias = R"({"name": "m", "version": "1", "alias": "champion"})";

// How a write fails while MLflow is away.
enum class Away { refused, lost };

// A worker's way to a FakeMlflow that is away, with what stands in for it.
struct Stack {
    Stack(net::Worker& worker, telemetry::Metrics& metrics, journal::JournalSettings settings, bool accepts)
        : mlflow(worker, worker.clock(), random),
          replica(rows, pool, worker.clock()),
          reader({worker, pool, [this](auto question) { return mlflow.get(std::move(question)); }}, {}),
          journal({journal_store, journal_pool, worker.clock(), metrics}, settings),
          pending(replica.confirmations),
          models({worker, replica, journal, pending}, accepts),
          calls({worker,
                 replica,
                 aliases,
                 reader,
                 metrics,
                 [this](http::Exchange& exchange, mlflow::CallObserver* observer, std::optional<std::string>) {
                     return forward(exchange, observer);
                 },
                 loads,
                 &models},
                {}) {
        EXPECT_TRUE(replica.open("http://mlflow:5000"));
        mlflow.answer("POST", std::string(kRoot) + "registered-models/create", R"({"name": "m"})");
        mlflow.answer("POST", std::string(kRoot) + kVersions, R"({"name": "m", "source": "s3://b/1"})");
    }

    base::Task<> forward(http::Exchange& exchange, mlflow::CallObserver* observer) {
        ++forwarded;
        const bool is_lost = away == Away::lost;
        const http::Response refusal =
            http::mlflow_error_response(is_lost ? 504 : 503, "TEMPORARILY_UNAVAILABLE", "MLflow is away");
        const bool is_answered = observer != nullptr && co_await observer->failed(refusal, is_lost);
        if (!is_answered) {
            exchange.answer(refusal);
        }
    }

    base::Task<> fill(net::Worker& worker, net::testing::SharedClock& clock) {
        mlflow::testing::ClockSleeper sleeper(clock, worker);
        mlflow::Pace pace({clock, sleeper, [] { return true; }, [] { return false; }});
        replica::Sweep sweep({worker, replica, reader, pace});
        base::Result<bool> is_done = false;
        while (is_done && !*is_done) {
            is_done = co_await sweep.step();
        }
        EXPECT_TRUE(is_done);
    }

    base::SeededRandom random{1};
    replica::testing::FaultyStore rows;
    registry::AliasIndex aliases;
    registry::LoadNotes loads;
    journal::testing::MemoryJournalStore journal_store;
    net::BlockingPool pool{1, 64};
    net::BlockingPool journal_pool{1, 64};
    replica::testing::FakeMlflow mlflow;
    replica::Replica replica;
    replica::RegistryClient reader;
    journal::Journal journal;
    PendingModels pending;
    OfflineModels models;
    replica::ReplicatedRegistry calls;
    Away away = Away::refused;
    int forwarded = 0;
};

class OfflineModelsTest : public ::testing::Test {
protected:
    explicit OfflineModelsTest(journal::JournalSettings settings = {}, bool accepts = true)
        : server_([&, settings, accepts](net::Worker& worker) {
              stack_ = std::make_unique<Stack>(worker, metrics_, settings, accepts);
              return std::make_unique<http::testing::FunctionHandler>(http::testing::FunctionHandler::Functions{
                  [](http::Exchange&) { return std::optional<http::Response>(); },
                  [this](http::Exchange& exchange) { return stack_->calls.handle(exchange); },
                  {}});
          }) {}

    void fill() {
        net::testing::run_on(server_.worker, stack_->fill(server_.worker, server_.clock));
    }

    HttpAnswer post(const std::string& path, const std::string& body) {
        client_.ask_with_body("POST " + (kRoot + path), body, "Content-Type: application/json\r\n");
        return client_.read();
    }

    HttpAnswer get(const std::string& target) {
        client_.ask("GET " + (kRoot + target));
        return client_.read();
    }

    std::size_t entries() {
        return stack_->journal_store.entries.size();
    }

    telemetry::Metrics metrics_;
    std::unique_ptr<Stack> stack_;
    http::testing::TestServer server_;
    http::testing::Client client_{server_.endpoint};
};

TEST_F(OfflineModelsTest, a_write_is_answered_kept_and_shown) {
    fill();
    const HttpAnswer made = post(kVersions, kVersion);
    EXPECT_EQ(made.status, 200U);
    EXPECT_EQ(made.field("X-Hokusai-Source"), "journal");
    EXPECT_NE(made.body.find(R"("version": "2")"), std::string::npos);
    ASSERT_EQ(entries(), 1U);
    EXPECT_EQ(stack_->journal_store.entries.begin()->second.body, kVersion);
    EXPECT_EQ(get("model-versions/get?name=m&version=2").field("X-Hokusai-Source"), "replica");
    EXPECT_EQ(post(kAliases, R"({"name": "m", "version": "2", "alias": "champion"})").status, 200U);
    EXPECT_EQ(stack_->forwarded, 1);
}

TEST_F(OfflineModelsTest, a_refusal_is_mlflows_and_leaves_nothing) {
    fill();
    const HttpAnswer refused = post(kAliases, R"({"name": "m", "version": "9", "alias": "champion"})");
    EXPECT_EQ(refused.status, 404U);
    EXPECT_NE(refused.body.find("RESOURCE_DOES_NOT_EXIST"), std::string::npos);
    EXPECT_EQ(entries(), 0U);
    EXPECT_EQ(stack_->pending.size(), 0U);
}

TEST_F(OfflineModelsTest, nothing_is_promised_before_the_copy_is_whole) {
    EXPECT_EQ(post(kVersions, kVersion).status, 503U);
    EXPECT_EQ(entries(), 0U);
}

TEST_F(OfflineModelsTest, what_may_have_been_carried_out_is_not_taken_and_neither_is_what_follows) {
    fill();
    stack_->away = Away::lost;
    EXPECT_EQ(post(kVersions, kVersion).status, 504U);
    stack_->away = Away::refused;
    EXPECT_EQ(post(kVersions, kVersion).status, 503U);
    EXPECT_EQ(entries(), 0U);
}

TEST_F(OfflineModelsTest, what_only_mlflow_can_judge_is_not_taken) {
    fill();
    EXPECT_EQ(post("registered-models/rename", R"({"name": "m", "new_name": "n"})").status, 503U);
    EXPECT_EQ(post(kVersions, R"({"name": "m", "source": "/tmp/x", "run_id": "r"})").status, 503U);
    EXPECT_EQ(post(kVersions, R"({"name": "m", "source": "s3://b/x", "model_id": "m-1"})").status, 503U);
    EXPECT_EQ(post(kVersions, R"({"name": "m", "source": "runs:/r/x", "run_id": "r"})").status, 503U);
    EXPECT_EQ(post(kVersions, R"({"name": "m", "source": "/tmp/x"})").status, 400U);
    EXPECT_EQ(entries(), 0U);
}

TEST_F(OfflineModelsTest, a_copy_of_a_version_of_another_model_does_not_overtake_it) {
    fill();
    EXPECT_EQ(post("registered-models/create", R"({"name": "n"})").status, 200U);
    EXPECT_EQ(post(kVersions, R"({"name": "n", "source": "models:/m/1"})").status, 200U);
    EXPECT_EQ(post(kAliases, kAlias).status, 200U);
    EXPECT_EQ(post(kVersions, R"({"name": "n", "source": "models:/m@champion"})").status, 503U);
    EXPECT_EQ(entries(), 3U);
}

TEST_F(OfflineModelsTest, a_disk_that_takes_no_entry_refuses_and_promises_nothing) {
    fill();
    stack_->journal_store.fails = [](const journal::Batch&) { return true; };
    const HttpAnswer refused = post(kVersions, kVersion);
    EXPECT_EQ(refused.status, 503U);
    EXPECT_NE(refused.body.find("the disk is full"), std::string::npos);
    EXPECT_EQ(stack_->pending.size(), 0U);
    EXPECT_EQ(get("model-versions/get?name=m&version=2").status, 404U);
}

TEST_F(OfflineModelsTest, rows_that_lack_what_was_accepted_say_nothing_until_they_have_it) {
    fill();
    stack_->journal_store.fails = [this](const journal::Batch&) {
        stack_->rows.is_broken = true;
        return false;
    };
    EXPECT_EQ(post(kVersions, kVersion).status, 200U);
    stack_->journal_store.fails = {};
    EXPECT_EQ(get("registered-models/get?name=m").status, 503U);
    stack_->rows.is_broken = false;
    EXPECT_EQ(get("registered-models/get?name=m").status, 503U);
    EXPECT_EQ(post(kAliases, R"({"name": "m", "version": "2", "alias": "champion"})").status, 200U);
    EXPECT_EQ(get("registered-models/alias?name=m&alias=champion").status, 200U);
    EXPECT_EQ(entries(), 2U);
}

TEST_F(OfflineModelsTest, a_rollback_is_checked_against_the_rows) {
    fill();
    ASSERT_EQ(post(kVersions, kVersion).status, 200U);
    ASSERT_EQ(post(kAliases, kAlias).status, 200U);
    client_.ask_with_body(std::string("POST ") + kRoot + kAliases,
                          R"({"name": "m", "version": "2", "alias": "champion"})",
                          "Content-Type: application/json\r\nX-Hokusai-Rollback-From: 2\r\n");
    EXPECT_EQ(client_.read().status, 409U);
    EXPECT_EQ(entries(), 2U);
}

class FullOfflineModelsTest : public OfflineModelsTest {
protected:
    FullOfflineModelsTest() : OfflineModelsTest({.max_entries = 1}) {}
};

TEST_F(FullOfflineModelsTest, a_full_journal_refuses_and_keeps_what_it_has) {
    fill();
    EXPECT_EQ(post(kVersions, kVersion).status, 200U);
    EXPECT_EQ(post(kVersions, kVersion).status, 503U);
    EXPECT_EQ(get("model-versions/get?name=m&version=2").status, 200U);
    EXPECT_EQ(get("model-versions/get?name=m&version=3").status, 404U);
}

class RefusingOfflineModelsTest : public OfflineModelsTest {
protected:
    RefusingOfflineModelsTest() : OfflineModelsTest({}, false) {}
};

TEST_F(RefusingOfflineModelsTest, without_leave_only_what_has_others_before_it_is_taken) {
    fill();
    EXPECT_EQ(post(kVersions, kVersion).status, 503U);
    stack_->pending.add({"", "m"});
    EXPECT_EQ(post(kVersions, kVersion).status, 200U);
    EXPECT_EQ(entries(), 1U);
}

}  // namespace
}  // namespace offline_registry
