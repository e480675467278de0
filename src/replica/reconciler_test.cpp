#include "replica/reconciler.hpp"

#include "replica/testing/replica_fixture.hpp"

namespace replica {
namespace {

class ReconcilerTest : public testing::ReplicaTest {
protected:
    void make_model(const std::string& name, int versions) {
        elsewhere("POST", "registered-models/create", R"({"name": ")" + name + R"("})");
        for (int i = 0; i < versions; ++i) {
            elsewhere("POST", "model-versions/create", R"({"name": ")" + name + R"(", "source": "s3://b/x"})");
        }
    }

    void do_until(const std::function<bool()>& is_reached) {
        for (int i = 0; i < 1000 && !is_reached(); ++i) {
            run(reconciler_.do_next());
        }
        EXPECT_TRUE(is_reached());
    }

    [[nodiscard]] bool knows_uri(std::int64_t version) {
        return status_of("model-versions/get-download-uri?name=m&version=" + std::to_string(version)) == 200;
    }

    Reconciler reconciler_{sweep_deps(), {}, metrics_};
};

TEST_F(ReconcilerTest, fills_the_replica_and_then_learns_where_artifacts_are) {
    make_model("m", 3);
    do_until([this] { return replica_.is_complete(); });
    EXPECT_TRUE(is_equal());
    EXPECT_FALSE(knows_uri(1));
    do_until([this] { return knows_uri(1) && knows_uri(2) && knows_uri(3); });
}

TEST_F(ReconcilerTest, asks_for_the_artifacts_of_aliased_versions_first) {
    make_model("m", 60);
    elsewhere("POST", "registered-models/alias", R"({"name": "m", "alias": "champion", "version": "60"})");
    std::vector<std::string> asked;
    mlflow_.spoil = [&](std::string_view target) -> std::optional<testing::FakeAnswer> {
        if (target.find("download-uri") != std::string_view::npos) {
            asked.emplace_back(target);
        }
        return std::nullopt;
    };
    do_until([this] { return knows_uri(1) && knows_uri(59); });
    ASSERT_FALSE(asked.empty());
    EXPECT_NE(asked.front().find("version=60"), std::string::npos) << asked.front();
    EXPECT_EQ(asked.size(), 60U);
}

TEST_F(ReconcilerTest, sweeps_once_an_interval) {
    make_model("m", 1);
    do_until([this] { return replica_.is_complete() && knows_uri(1); });
    const base::MonotonicTime first = replica_.confirmations.last_sweep();
    do_until([&] { return replica_.confirmations.last_sweep() > first; });
    const base::MonotonicTime second = replica_.confirmations.last_sweep();
    elsewhere("POST", "registered-models/set-tag", R"({"name": "m", "key": "k", "value": "v"})");
    do_until([&] { return replica_.confirmations.last_sweep() > second; });
    EXPECT_GE(replica_.confirmations.last_sweep() - second, std::chrono::seconds(60));
    EXPECT_TRUE(is_equal());
}

TEST_F(ReconcilerTest, asks_nothing_while_mlflow_is_away_and_sweeps_when_it_is_back) {
    make_model("m", 1);
    do_until([this] { return replica_.is_complete() && knows_uri(1); });
    const base::MonotonicTime last = replica_.confirmations.last_sweep();
    do_until([&] { return replica_.confirmations.last_sweep() > last; });
    const std::uint64_t before = mlflow_.questions;
    do_until([&] { return mlflow_.questions > before; });  // within a sweep
    mlflow_.is_down = true;
    const std::uint64_t questions = mlflow_.questions;
    for (int i = 0; i < 10; ++i) {
        run(reconciler_.do_next());
    }
    EXPECT_EQ(mlflow_.questions, questions);

    make_model("new", 2);
    mlflow_.is_down = false;
    const base::MonotonicTime back_at = clock_.now();
    do_until([&] { return replica_.confirmations.last_sweep() >= back_at; });
    EXPECT_LT(clock_.now() - back_at, std::chrono::seconds(5));
    EXPECT_TRUE(is_equal());
}

TEST_F(ReconcilerTest, reads_marked_models_first) {
    make_model("m", 1);
    make_model("other", 1);
    do_until([this] { return replica_.is_complete(); });
    write("POST", "model-versions/create", R"({"name": "m", "source": "s3://b/y"})", Fate::lost_after);
    std::vector<std::string> asked;
    mlflow_.spoil = [&](std::string_view target) -> std::optional<testing::FakeAnswer> {
        asked.emplace_back(target);
        return std::nullopt;
    };
    do_until([this] { return replica_.marked().empty(); });
    ASSERT_FALSE(asked.empty());
    EXPECT_NE(asked.front().find("registered-models/get?name=m"), std::string::npos) << asked.front();
    EXPECT_TRUE(is_equal());
    EXPECT_EQ(status_of("model-versions/get?name=m&version=2"), 200U);
}

TEST_F(ReconcilerTest, takes_at_most_its_share_of_mlflow_s_time) {
    make_model("m", 1);
    do_until([this] { return replica_.is_complete(); });
    base::Duration busy{};
    mlflow_.spoil = [&](std::string_view /*target*/) -> std::optional<testing::FakeAnswer> {
        busy += std::chrono::seconds(1);
        clock_.advance(std::chrono::seconds(1));
        return std::nullopt;
    };
    const base::MonotonicTime began = clock_.now();
    const base::MonotonicTime last = replica_.confirmations.last_sweep();
    do_until([&] { return replica_.confirmations.last_sweep() > last; });
    EXPECT_GE(busy, std::chrono::seconds(4));
    EXPECT_GE(clock_.now() - began, 3 * busy);
}

TEST_F(ReconcilerTest, waits_while_calls_of_clients_wait) {
    make_model("m", 1);
    const std::uint64_t questions = mlflow_.questions;
    is_crowded_ = true;
    auto step = net::testing::start_on(worker_, reconciler_.do_next());
    for (int i = 0; i < 100; ++i) {
        worker_.context().run_one();
    }
    EXPECT_EQ(mlflow_.questions, questions);
    is_crowded_ = false;
    while (step.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
        worker_.context().run_one();
    }
    EXPECT_GT(mlflow_.questions, questions);
}

TEST_F(ReconcilerTest, asks_ever_more_rarely_while_mlflow_answers_wrongly) {
    mlflow_.spoil = [](std::string_view /*target*/) { return testing::FakeAnswer{500, "<html>"}; };
    const base::MonotonicTime began = clock_.now();
    do_until([&] { return clock_.now() - began > std::chrono::minutes(10); });
    EXPECT_LT(mlflow_.questions, 20U);
    EXPECT_GT(mlflow_.questions, 8U);

    mlflow_.spoil = nullptr;
    make_model("m", 2);
    do_until([this] { return replica_.is_complete(); });
    EXPECT_TRUE(is_equal());
}

TEST_F(ReconcilerTest, does_not_let_one_model_hold_up_all_others) {
    make_model("m", 2);
    make_model("n", 2);
    do_until([this] { return replica_.is_complete(); });
    elsewhere("DELETE", "model-versions/delete", R"({"name": "m", "version": "2"})");
    elsewhere("DELETE", "model-versions/delete", R"({"name": "n", "version": "2"})");
    mlflow_.spoil = [](std::string_view target) -> std::optional<testing::FakeAnswer> {
        return target.find("registered-models/get?name=m") == std::string_view::npos
                   ? std::nullopt
                   : std::optional(testing::FakeAnswer{500, "<html>"});
    };
    const base::MonotonicTime last = replica_.confirmations.last_sweep();
    do_until([&] { return replica_.confirmations.last_sweep() > last; });
    EXPECT_EQ(status_of("model-versions/get?name=n&version=2"), 404U);
    EXPECT_TRUE(replica_.is_marked({"", "m"}));
    EXPECT_FALSE(replica_.confirmations.is_fresh({"", "m"}, {}, last));
    mlflow_.spoil = nullptr;
    do_until([this] { return replica_.marked().empty(); });
    EXPECT_TRUE(is_equal());
}

TEST_F(ReconcilerTest, ends_when_stopped) {
    make_model("m", 1);
    auto running = net::testing::start_on(worker_, reconciler_.run());
    while (!replica_.is_complete()) {
        worker_.context().run_one();
    }
    reconciler_.stop();
    while (running.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
        worker_.context().run_one();
    }
}

}  // namespace
}  // namespace replica
