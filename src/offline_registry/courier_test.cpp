#include "offline_registry/courier.hpp"

#include "journal/testing/memory_journal_store.hpp"
#include "offline_registry/testing/rows.hpp"
#include "replica/testing/replica_fixture.hpp"

namespace offline_registry {
namespace {

using mlflow::UpstreamAnswer;
using testing::kModel;

constexpr const char* kCreate = R"({"name": "m", "source": "s3://b/ours"})";
constexpr const char* kTheirs = R"({"name": "m", "source": "s3://b/theirs"})";
constexpr const char* kAlias = R"({"name": "m", "version": "2", "alias": "champion"})";

class CourierTest : public replica::testing::ReplicaTest {
protected:
    CourierTest() {
        elsewhere("POST", "registered-models/create", R"({"name": "m"})");
        elsewhere("POST", "model-versions/create", R"({"name": "m", "source": "s3://b/1"})");
        sweep();
        make_courier();
    }

    void make_courier() {
        courier_ = std::make_unique<Courier>(
            Courier::Deps{worker_,
                          replica_,
                          reader_,
                          journal_,
                          pending_,
                          pace_,
                          [this](mlflow::UpstreamClient::Question question) { return send(std::move(question)); },
                          metrics_,
                          [this](const registry::ModelKey& key) { delivered.push_back(key.name); }},
            CourierSettings{});
    }

    // As OfflineModels does it.
    void accept(const std::string& method, const std::string& path, const std::string& body) {
        const registry::Call call = testing::call_of(method, path, body);
        const base::WallTime now = clock_.wall_now();
        journal::Entry entry;
        pending_.add(kModel);
        ASSERT_TRUE(replica_.write_now([&](registry::Writer& writer) -> base::Result<std::int64_t> {
            entry.about = to_text(carry_out(writer, call, kModel, now).value().expectation);
            return 1;
        }));
        entry.lane = lane_of(kModel);
        entry.method = method;
        entry.target = "/api/2.0/mlflow/" + path;
        entry.body = body;
        entry.accepted_at = now;
        ASSERT_TRUE(run(journal_.accept(worker_, std::move(entry))));
    }

    void accept_two() {
        accept("POST", "model-versions/create", kCreate);
        accept("POST", "registered-models/alias", kAlias);
    }

    base::Task<base::Result<UpstreamAnswer>> send(mlflow::UpstreamClient::Question question) {
        co_await net::resume_on(worker_);
        sent.push_back(question.target.substr(question.target.rfind('/') + 1));
        if (loses_before > 0) {
            --loses_before;
            co_return base::fail(base::Code::unavailable, "lost");
        }
        clock_.advance(std::chrono::milliseconds(1));
        const auto made = mlflow_.answer(question.method, question.target, question.json);
        if (loses_after > 0) {
            --loses_after;
            co_return base::fail(base::Code::unavailable, "lost");
        }
        UpstreamAnswer answer;
        answer.status = made.status;
        answer.body = made.body;
        co_return answer;
    }

    // Until nothing is left to do, or 100 turns.
    void serve_all() {
        for (int i = 0; i < 100 && pending_.size() > pending_.held(); ++i) {
            if (!run(courier_->serve_next())) {
                clock_.advance(std::chrono::milliseconds(250));
            }
        }
    }

    void decide(journal::Decision decision) {
        ASSERT_TRUE(journal_store_.decide(lane_of(kModel), decision).value_or(false));
        run_void(courier_->note_decisions());
        for (int i = 0; i < 100 && pending_.size() > 0; ++i) {
            if (!run(courier_->serve_next())) {
                clock_.advance(std::chrono::milliseconds(250));
            }
        }
    }

    void run_void(base::Task<> task) {
        run([](base::Task<> inner) -> base::Task<bool> {
            co_await std::move(inner);
            co_return true;
        }(std::move(task)));
    }

    journal::Hold conflict() {
        const auto holds = journal_store_.holds().value();
        return holds.empty() ? journal::Hold{} : holds.front();
    }

    journal::testing::MemoryJournalStore journal_store_;
    net::BlockingPool journal_pool_{1, 64};
    journal::Journal journal_{{journal_store_, journal_pool_, clock_, metrics_}, {}};
    PendingModels pending_{replica_.confirmations};
    std::unique_ptr<Courier> courier_;
    std::vector<std::string> sent;
    std::vector<std::string> delivered;
    int loses_before = 0;
    int loses_after = 0;
};

TEST_F(CourierTest, delivers_in_order_and_then_the_rows_are_mlflows) {
    accept_two();
    serve_all();
    EXPECT_EQ(sent, (std::vector<std::string>{"create", "alias"}));
    EXPECT_EQ(delivered, std::vector<std::string>{"m"});
    EXPECT_TRUE(is_equal());
    EXPECT_EQ(pending_.size(), 0U);
    EXPECT_TRUE(journal_store_.entries.empty());
}

TEST_F(CourierTest, looks_at_mlflow_when_it_begins_and_when_it_has_ended) {
    for (int i = 0; i < 5; ++i) {
        accept(
            "POST", "registered-models/set-tag", R"({"name": "m", "key": "k", "value": ")" + std::to_string(i) + "\"}");
    }
    const std::uint64_t before = mlflow_.questions;
    serve_all();
    EXPECT_EQ(sent.size(), 5U);
    constexpr std::uint64_t kLook = 2;  // the model, and its versions
    EXPECT_EQ(mlflow_.questions - before, 5 + 2 * kLook);
}

TEST_F(CourierTest, a_call_that_was_carried_out_and_lost_its_answer_is_not_sent_again) {
    accept_two();
    loses_after = 1;
    serve_all();
    EXPECT_EQ(sent, (std::vector<std::string>{"create", "alias"}));
    EXPECT_TRUE(is_equal());
}

TEST_F(CourierTest, a_call_that_did_not_arrive_is_sent_again_when_it_can_no_longer_arrive) {
    accept_two();
    loses_before = 1;
    const base::MonotonicTime began = clock_.now();
    serve_all();
    EXPECT_EQ(sent, (std::vector<std::string>{"create", "create", "alias"}));
    EXPECT_GE(clock_.now() - began, std::chrono::seconds(5));
    EXPECT_TRUE(is_equal());
}

TEST_F(CourierTest, what_an_earlier_process_may_have_sent_is_not_sent_at_once) {
    accept_two();
    make_courier();
    const base::MonotonicTime began = clock_.now();
    serve_all();
    EXPECT_GE(clock_.now() - began, std::chrono::seconds(5));
    EXPECT_EQ(sent, (std::vector<std::string>{"create", "alias"}));
}

TEST_F(CourierTest, sweeps_leave_a_pending_model_alone) {
    accept_two();
    sweep();
    EXPECT_EQ(status_of("model-versions/get?name=m&version=2"), 200U);
    EXPECT_EQ(status_of("registered-models/alias?name=m&alias=champion"), 200U);
}

TEST_F(CourierTest, a_rivals_write_holds_the_lane_and_nothing_is_sent) {
    accept_two();
    elsewhere("POST", "model-versions/create", kTheirs);
    serve_all();
    EXPECT_TRUE(sent.empty());
    EXPECT_EQ(pending_.held(), 1U);
    EXPECT_NE(conflict().reason.find("version 2 is of s3://b/theirs in MLflow, and of s3://b/ours here"),
              std::string::npos)
        << conflict().reason;
    EXPECT_EQ(journal_store_.entries.size(), 2U);
}

TEST_F(CourierTest, apply_puts_ours_on_top_under_the_next_number) {
    accept_two();
    elsewhere("POST", "model-versions/create", kTheirs);
    serve_all();
    accept("POST", "model-versions/set-tag", R"({"name": "m", "version": "2", "key": "late", "value": "v"})");
    decide(journal::Decision::apply);
    EXPECT_EQ(sent, (std::vector<std::string>{"create", "alias", "set-tag"}));
    EXPECT_TRUE(is_equal());
    EXPECT_EQ(response_to("model-versions/get?name=m&version=3")->body.find("theirs"), std::string::npos);
    ASSERT_EQ(journal_store_.renumbered.size(), 1U);
    EXPECT_EQ(journal_store_.renumbered[0].promised, 2);
    EXPECT_EQ(journal_store_.renumbered[0].given, 3);
    EXPECT_EQ(journal_.figures().bytes, 0U);
    EXPECT_TRUE(journal_store_.held.empty());
}

TEST_F(CourierTest, discard_sets_ours_aside_and_keeps_mlflows) {
    accept_two();
    elsewhere("POST", "model-versions/create", kTheirs);
    serve_all();
    decide(journal::Decision::discard);
    EXPECT_TRUE(sent.empty());
    EXPECT_TRUE(is_equal());
    ASSERT_EQ(journal_store_.set_aside.size(), 2U);
    EXPECT_EQ(journal_store_.set_aside[0].entry.body, kCreate);
    EXPECT_EQ(pending_.size(), 0U);
    EXPECT_EQ(journal_.figures().entries, 0U);
}

TEST_F(CourierTest, another_number_than_promised_is_a_conflict) {
    accept_two();
    elsewhere("POST", "model-versions/create", kTheirs);
    elsewhere("DELETE", "model-versions/delete", R"({"name": "m", "version": "2"})");
    serve_all();
    EXPECT_EQ(sent, std::vector<std::string>{"create"});
    EXPECT_EQ(conflict().reason, "version 2 was promised, and MLflow gave it the number 3");
    decide(journal::Decision::apply);
    EXPECT_EQ(sent, (std::vector<std::string>{"create", "alias"}));
    EXPECT_EQ(journal_store_.renumbered.size(), 1U);
    EXPECT_NE(response_to("registered-models/alias?name=m&alias=champion")->body.find(R"("version": "3")"),
              std::string::npos);
    EXPECT_TRUE(is_equal());
}

TEST_F(CourierTest, a_model_without_versions_is_promised_no_number) {
    accept("DELETE", "registered-models/delete", R"({"name": "m"})");
    accept("POST", "registered-models/create", R"({"name": "m"})");
    accept("DELETE", "registered-models/delete-tag", R"({"name": "m", "key": "none"})");
    serve_all();
    EXPECT_EQ(sent, (std::vector<std::string>{"delete", "create", "delete-tag"}));
    EXPECT_EQ(pending_.size(), 0U);
}

TEST_F(CourierTest, an_answer_without_a_number_is_none) {
    accept_two();
    bool is_garbled = true;
    mlflow_.spoil = [&](std::string_view target) -> std::optional<replica::testing::FakeAnswer> {
        if (!target.ends_with("model-versions/create") || !std::exchange(is_garbled, false)) {
            return std::nullopt;
        }
        return replica::testing::FakeAnswer{200, "{}"};
    };
    serve_all();
    EXPECT_EQ(sent, (std::vector<std::string>{"create", "create", "alias"}));
    EXPECT_TRUE(is_equal());
}

TEST_F(CourierTest, what_mlflow_refuses_is_a_conflict) {
    accept("POST", "registered-models/alias", R"({"name": "m", "version": "1", "alias": "champion"})");
    int refused = 0;
    mlflow_.spoil = [&](std::string_view target) -> std::optional<replica::testing::FakeAnswer> {
        if (!target.ends_with("/alias")) {
            return std::nullopt;
        }
        ++refused;
        return replica::testing::FakeAnswer{400, R"({"error_code": "INVALID_PARAMETER_VALUE", "message": "no"})"};
    };
    serve_all();
    EXPECT_EQ(refused, 1);
    EXPECT_EQ(conflict().reason, "MLflow refused what was promised: INVALID_PARAMETER_VALUE: no");
    EXPECT_EQ(journal_store_.entries.size(), 1U);
}

TEST_F(CourierTest, what_may_pass_is_tried_again) {
    accept_two();
    int refused = 0;
    mlflow_.spoil = [&](std::string_view target) -> std::optional<replica::testing::FakeAnswer> {
        if (!target.ends_with("/alias") || ++refused > 3) {
            return std::nullopt;
        }
        return replica::testing::FakeAnswer{refused == 1 ? 403U : 503U, ""};
    };
    serve_all();
    EXPECT_TRUE(is_equal());
    EXPECT_EQ(pending_.size(), 0U);
}

TEST_F(CourierTest, a_journal_that_can_not_be_written_to_delivers_nothing_twice) {
    accept_two();
    int failures = 3;
    journal_store_.fails = [&](const journal::Batch& batch) { return !batch.delivered.empty() && failures-- > 0; };
    serve_all();
    EXPECT_EQ(sent, (std::vector<std::string>{"create", "alias"}));
    EXPECT_TRUE(is_equal());
}

TEST_F(CourierTest, a_resolution_that_was_cut_short_is_done_again) {
    accept_two();
    elsewhere("POST", "model-versions/create", kTheirs);
    serve_all();
    int failures = 2;
    journal_store_.fails = [&](const journal::Batch& batch) { return !batch.released.empty() && failures-- > 0; };
    decide(journal::Decision::apply);
    EXPECT_EQ(sent, (std::vector<std::string>{"create", "alias"}));
    EXPECT_EQ(journal_store_.renumbered.size(), 1U);
    EXPECT_TRUE(is_equal());
}

}  // namespace
}  // namespace offline_registry
