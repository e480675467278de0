#include "offline/replayer.hpp"

#include <set>

#include "base/random.hpp"
#include "journal/testing/memory_journal_store.hpp"
#include "mlflow/testing/clock_sleeper.hpp"
#include "net/testing/run_on.hpp"
#include "offline/run_call.hpp"

#include <gtest/gtest.h>

namespace offline {
namespace {

using mlflow::UpstreamAnswer;

UpstreamAnswer answer_of(unsigned status, std::string body = "{}") {
    UpstreamAnswer answer;
    answer.status = status;
    answer.body = std::move(body);
    return answer;
}

const UpstreamAnswer kRefusal = answer_of(400, R"({"error_code": "INVALID_PARAMETER_VALUE", "message": "no"})");

class ReplayerTest : public ::testing::Test {
protected:
    void accept(const std::string& run, const std::string& call, const std::string& body) {
        journal::Entry entry;
        entry.lane = lane_of("", run);
        entry.method = "POST";
        entry.target = "/runs/" + call;
        entry.body = body;
        ASSERT_TRUE(net::testing::run_here(worker_, journal_->accept(worker_, std::move(entry))));
    }

    // A call that goes alone.
    void update(const std::string& run, const std::string& value) {
        accept(run, "update", run + value);
    }

    void metric(const std::string& run, const std::string& value) {
        accept(run, "log-metric", "{\"value\": " + value + "}");
    }

    bool deliver_next() {
        return net::testing::run_here(worker_, replayer_->deliver_next());
    }

    void deliver_all() {
        for (int i = 0; i < 10'000 && journal_->figures().entries > 0; ++i) {
            if (!deliver_next()) {
                clock_.advance(std::chrono::milliseconds(250));
            }
        }
        EXPECT_EQ(journal_->figures().entries, 0U);
    }

    // As after kill -9.
    void restart() {
        journal_ = std::make_unique<journal::Journal>(journal::Journal::Deps{store_, pool_, clock_, metrics_},
                                                      journal::JournalSettings{});
        EXPECT_TRUE(journal_->load());
        replayer_ = std::make_unique<Replayer>(
            Replayer::Deps{worker_,
                           *journal_,
                           pace_,
                           [this](mlflow::UpstreamClient::Question question) { return send(std::move(question)); },
                           metrics_},
            ReplayerSettings{});
    }

    base::Task<base::Result<UpstreamAnswer>> send(mlflow::UpstreamClient::Question question) {
        co_await net::resume_on(worker_);
        clock_.advance(takes);
        sent.push_back(question.json);
        co_return respond(question.json);
    }

    [[nodiscard]] double failures() const {
        const std::string name = "\nhokusai_journal_delivery_failures_total ";
        const std::string text = metrics_.render();
        return std::stod(text.substr(text.find(name) + name.size()));
    }

    net::testing::SharedClock clock_;
    net::Worker worker_{"worker", 0, clock_};
    journal::testing::MemoryJournalStore store_;
    net::BlockingPool pool_{1, 10'000};
    telemetry::Metrics metrics_;
    mlflow::testing::ClockSleeper sleeper_{clock_, worker_};
    bool is_reachable_ = true;
    bool is_crowded_ = false;
    mlflow::Pace pace_{{clock_, sleeper_, [this] { return is_reachable_; }, [this] { return is_crowded_; }}};
    std::unique_ptr<journal::Journal> journal_;
    std::unique_ptr<Replayer> replayer_;
    std::vector<std::string> sent;
    base::Duration takes = std::chrono::milliseconds(10);
    std::function<base::Result<UpstreamAnswer>(const std::string& body)> respond = [](const std::string&) {
        return answer_of(200);
    };

    ReplayerTest() {
        restart();
    }
};

TEST_F(ReplayerTest, delivers_a_run_in_order_and_then_nothing_more) {
    for (const char* value : {"1", "2", "3"}) {
        update("r", value);
    }
    deliver_all();
    EXPECT_EQ(sent, (std::vector<std::string>{"r1", "r2", "r3"}));
    EXPECT_FALSE(deliver_next());
    EXPECT_TRUE(store_.entries.empty());
}

TEST_F(ReplayerTest, runs_take_turns) {
    for (const char* value : {"1", "2", "3"}) {
        update("a", value);
    }
    update("b", "1");
    update("c", "1");
    deliver_all();
    EXPECT_EQ(sent, (std::vector<std::string>{"a1", "b1", "c1", "a2", "a3"}));
}

TEST_F(ReplayerTest, metrics_that_follow_each_other_go_together) {
    metric("r", "1");
    metric("r", "2");
    update("r", "x");
    metric("r", "3");
    deliver_all();
    EXPECT_EQ(sent,
              (std::vector<std::string>{
                  R"({"run_id": "r", "metrics": [{"value": 1},{"value": 2}]})", "rx", R"({"value": 3})"}));
}

TEST_F(ReplayerTest, a_failing_run_rests_longer_each_time_and_holds_up_no_other) {
    update("a", "1");
    update("a", "2");
    for (int i = 0; i < 20; ++i) {
        update("b", std::to_string(i));
    }
    std::vector<base::MonotonicTime> tries;
    respond = [&](const std::string& body) -> base::Result<UpstreamAnswer> {
        if (body == "a1") {
            tries.push_back(clock_.now());
            return tries.size() < 10 ? base::Result<UpstreamAnswer>(answer_of(500, "<html>")) : answer_of(200);
        }
        return answer_of(200);
    };
    deliver_all();
    ASSERT_EQ(tries.size(), 10U);
    for (std::size_t i = 1; i < tries.size(); ++i) {
        const auto rest = std::chrono::duration<double>(tries[i] - tries[i - 1]).count();
        EXPECT_NEAR(rest, std::min(60.0, double(1U << std::min<std::size_t>(i - 1, 6))), 1.0) << i;
    }
    EXPECT_EQ(sent.back(), "a2");
    EXPECT_EQ(sent[20], "b19") << "b was held up";
}

TEST_F(ReplayerTest, nothing_is_sent_while_mlflow_is_away) {
    update("r", "1");
    is_reachable_ = false;
    EXPECT_TRUE(deliver_next());
    EXPECT_TRUE(sent.empty());
    EXPECT_EQ(failures(), 0.0);
    is_reachable_ = true;
    deliver_all();
}

TEST_F(ReplayerTest, gives_way_to_clients_but_not_for_ever) {
    update("r", "1");
    is_crowded_ = true;
    const base::MonotonicTime before = clock_.now();
    EXPECT_TRUE(deliver_next());
    EXPECT_EQ(sent.size(), 1U);
    EXPECT_GE(clock_.now() - before, std::chrono::seconds(5));
}

TEST_F(ReplayerTest, leaves_mlflow_as_much_time_as_it_takes) {
    update("r", "1");
    update("r", "2");
    takes = std::chrono::milliseconds(800);
    const base::MonotonicTime before = clock_.now();
    deliver_next();
    EXPECT_GE(clock_.now() - before, std::chrono::milliseconds(1600));
}

TEST_F(ReplayerTest, sets_a_refused_call_aside_and_goes_on) {
    update("r", "1");
    update("r", "bad");
    update("r", "2");
    respond = [](const std::string& body) -> base::Result<UpstreamAnswer> {
        return body == "rbad" ? kRefusal : answer_of(200);
    };
    deliver_all();
    EXPECT_EQ(sent, (std::vector<std::string>{"r1", "rbad", "r2"}));
    ASSERT_EQ(store_.set_aside.size(), 1U);
    EXPECT_EQ(store_.set_aside.front().entry.body, "rbad");
    EXPECT_EQ(store_.set_aside.front().rejection.status, 400U);
    EXPECT_EQ(store_.set_aside.front().rejection.reason, "INVALID_PARAMETER_VALUE: no");
}

TEST_F(ReplayerTest, looks_for_the_guilty_one_among_metrics_refused_together) {
    for (const char* value : {"1", "13", "3"}) {
        metric("r", value);
    }
    respond = [](const std::string& body) -> base::Result<UpstreamAnswer> {
        return body.find("13") != std::string::npos ? kRefusal : answer_of(200);
    };
    deliver_all();
    ASSERT_EQ(store_.set_aside.size(), 1U);
    EXPECT_EQ(store_.set_aside.front().entry.body, "{\"value\": 13}");
    EXPECT_EQ(sent.size(), 4U);
    metric("r", "5");
    metric("r", "6");
    deliver_all();
    EXPECT_EQ(sent.size(), 5U) << "they go together again";
}

TEST_F(ReplayerTest, a_call_mlflow_cannot_store_does_not_hold_up_its_run_for_ever) {
    for (const char* value : {"1", "13", "3"}) {
        metric("r", value);
    }
    std::size_t tries = 0;
    respond = [&](const std::string& body) -> base::Result<UpstreamAnswer> {
        const bool is_bad = body.find("13") != std::string::npos;
        tries += is_bad ? 1 : 0;
        return is_bad ? answer_of(400, R"({"error_code": "BAD_REQUEST", "message": "UNIQUE constraint failed"})")
                      : answer_of(200);
    };
    const base::MonotonicTime before = clock_.now();
    deliver_all();
    ASSERT_EQ(store_.set_aside.size(), 1U);
    EXPECT_EQ(store_.set_aside.front().entry.body, "{\"value\": 13}");
    EXPECT_EQ(tries, 11U);
    EXPECT_GE(clock_.now() - before, std::chrono::minutes(4));
}

TEST_F(ReplayerTest, an_unreachable_server_ends_nothing) {
    update("r", "1");
    respond = [this](const std::string&) -> base::Result<UpstreamAnswer> {
        return sent.size() < 4 ? base::fail(base::Code::unavailable, "connection refused")
                               : base::Result<UpstreamAnswer>(answer_of(200));
    };
    deliver_all();
    EXPECT_EQ(sent, (std::vector<std::string>{"r1", "r1", "r1", "r1"}));
    EXPECT_EQ(failures(), 3.0);
}

TEST(ReplayerVerdict, ends_an_entry_only_by_a_definite_answer) {
    const auto error = [](std::string_view code) {
        return R"({"error_code": ")" + std::string(code) + R"(", "message": "m"})";
    };
    EXPECT_EQ(judge(answer_of(200)), Verdict::delivered);
    EXPECT_EQ(judge(answer_of(400, error("INVALID_PARAMETER_VALUE"))), Verdict::refused);
    EXPECT_EQ(judge(answer_of(404, error("RESOURCE_DOES_NOT_EXIST"))), Verdict::refused);
    EXPECT_EQ(judge(answer_of(400, error("BAD_REQUEST"))), Verdict::doubtful);
    EXPECT_EQ(judge(answer_of(500, error("INTERNAL_ERROR"))), Verdict::doubtful);
    EXPECT_EQ(judge(answer_of(500, "<html>")), Verdict::later);
    EXPECT_EQ(judge(answer_of(404, "<html>")), Verdict::later);
    EXPECT_EQ(judge(answer_of(404, error("ENDPOINT_NOT_FOUND"))), Verdict::later);
    for (const unsigned status : {302U, 401U, 403U, 408U, 429U, 502U, 503U}) {
        EXPECT_EQ(judge(answer_of(status, error("INVALID_PARAMETER_VALUE"))), Verdict::later) << status;
    }
}

// Kills the process at random moments, fails the disk and the network at random, and looks at what MLflow got.
TEST_F(ReplayerTest, loses_and_reorders_nothing_whatever_fails) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        base::SeededRandom random(seed);
        store_.entries.clear();
        store_.set_aside.clear();
        store_.fails = nullptr;
        sent.clear();
        restart();
        std::map<std::string, std::vector<std::string>> accepted;
        std::map<std::string, std::vector<std::string>> got;
        store_.fails = [&random](const journal::Batch&) { return random.unit() < 0.2; };
        respond = [&](const std::string& body) -> base::Result<UpstreamAnswer> {
            const double fate = random.unit();
            if (fate < 0.2) {
                return base::fail(base::Code::unavailable, "connection refused");
            }
            got[body.substr(0, 1)].push_back(body);
            if (fate < 0.4) {
                return base::fail(base::Code::deadline_exceeded, "no answer");
            }
            return answer_of(200);
        };
        const auto one_step = [&](int number) {
            const double choice = random.unit();
            if (choice < 0.4) {
                const std::string run(1, static_cast<char>('a' + random.next() % 3));
                journal::Entry entry;
                entry.lane = lane_of("", run);
                entry.method = "POST";
                entry.target = "/runs/update";
                entry.body = run + std::to_string(number);
                if (net::testing::run_here(worker_, journal_->accept(worker_, entry))) {
                    accepted[run].push_back(entry.body);
                }
            } else if (choice < 0.9) {
                deliver_next();
                clock_.advance(std::chrono::seconds(1));
            } else {
                restart();
            }
        };
        for (int number = 0; number < 200; ++number) {
            one_step(number);
        }
        store_.fails = nullptr;
        respond = [&](const std::string& body) -> base::Result<UpstreamAnswer> {
            got[body.substr(0, 1)].push_back(body);
            return answer_of(200);
        };
        deliver_all();
        for (const auto& [run, bodies] : accepted) {
            std::vector<std::string> last_times;
            for (const std::string& body : got[run]) {
                std::erase(last_times, body);
                last_times.push_back(body);
            }
            EXPECT_EQ(last_times, bodies) << "seed " << seed;
            std::vector<std::string> first_times;
            for (const std::string& body : got[run]) {
                if (std::ranges::find(first_times, body) == first_times.end()) {
                    first_times.push_back(body);
                }
            }
            EXPECT_EQ(first_times, bodies) << "seed " << seed;
        }
    }
}

}  // namespace
}  // namespace offline
