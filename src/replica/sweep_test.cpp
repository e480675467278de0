#include "replica/sweep.hpp"

#include "replica/reread.hpp"
#include "replica/testing/replica_fixture.hpp"

namespace replica {
namespace {

class SweepTest : public testing::ReplicaTest {
protected:
    explicit SweepTest(std::size_t page_size = 500) : testing::ReplicaTest(page_size) {}

    void make_model(const std::string& name, int versions) {
        ASSERT_EQ(elsewhere("POST", "registered-models/create", R"({"name": ")" + name + R"("})").status, 200U);
        for (int i = 0; i < versions; ++i) {
            make_version(name);
        }
    }

    void make_version(const std::string& name) {
        ASSERT_EQ(
            elsewhere("POST", "model-versions/create", R"({"name": ")" + name + R"(", "source": "s3://b/x"})").status,
            200U);
    }
};

TEST_F(SweepTest, fills_an_empty_replica) {
    make_model("a", 3);
    make_model("b", 0);
    elsewhere("POST", "registered-models/alias", R"({"name": "a", "alias": "champion", "version": "2"})");
    elsewhere("POST", "registered-models/set-tag", R"({"name": "b", "key": "k", "value": "v"})");
    elsewhere("POST",
              "registered-models/create",
              R"({"name": "p", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]})");
    EXPECT_FALSE(replica_.is_complete());

    sweep();
    EXPECT_TRUE(replica_.is_complete());
    EXPECT_TRUE(is_equal());
    EXPECT_EQ(replica_.status().counts.models, 3);
    EXPECT_EQ(replica_.status().counts.versions, 3);
    EXPECT_EQ(replica_.status().last_sweep->erased, 0);
}

TEST_F(SweepTest, changes_nothing_when_nothing_changed) {
    make_model("a", 3);
    sweep();
    const std::int64_t revision = replica_.revision();
    sweep();
    EXPECT_EQ(replica_.revision(), revision);
    EXPECT_EQ(replica_.status().last_sweep->changes, 0);
}

TEST_F(SweepTest, finds_what_was_written_elsewhere) {
    make_model("a", 3);
    make_model("gone", 2);
    make_model("old", 2);
    make_model("again", 2);
    sweep();

    elsewhere("POST", "registered-models/alias", R"({"name": "a", "alias": "champion", "version": "2"})");
    elsewhere("POST", "model-versions/set-tag", R"({"name": "a", "version": "1", "key": "k", "value": "v"})");
    elsewhere("POST",
              "model-versions/transition-stage",
              R"({"name": "a", "version": "1", "stage": "Production", "archive_existing_versions": true})");
    elsewhere("DELETE", "model-versions/delete", R"({"name": "a", "version": "3"})");
    elsewhere("DELETE", "registered-models/delete", R"({"name": "gone"})");
    elsewhere("POST", "registered-models/rename", R"({"name": "old", "new_name": "new"})");
    elsewhere("DELETE", "registered-models/delete", R"({"name": "again"})");
    make_model("again", 1);
    make_model("fresh", 2);

    sweep();
    EXPECT_TRUE(is_equal());
    EXPECT_EQ(status_of("registered-models/get?name=gone"), 404U);
}

TEST_F(SweepTest, erases_nothing_that_is_still_there) {
    make_model("a", 2);
    sweep();
    // Pages that leave out what there is.
    mlflow_.spoil = [](std::string_view target) -> std::optional<testing::FakeAnswer> {
        return target.find("search") == std::string_view::npos ? std::nullopt
                                                               : std::optional(testing::FakeAnswer{200, "{}"});
    };
    sweep();
    EXPECT_TRUE(is_equal());
    EXPECT_EQ(replica_.status().last_sweep->erased, 0);
}

TEST_F(SweepTest, keeps_workspaces_apart) {
    mlflow_.workspaces = {"default", "team"};
    make_model("a", 1);
    elsewhere("POST", "registered-models/create", R"({"name": "a"})", "team");
    elsewhere("POST", "registered-models/create", R"({"name": "t"})", "team");
    sweep();
    EXPECT_TRUE(is_equal());
    EXPECT_EQ(status_of("registered-models/get?name=t"), 404U);
    EXPECT_EQ(status_of("registered-models/get?name=t", "team"), 200U);
    EXPECT_EQ(status_of("model-versions/get?name=a&version=1", "default"), 200U);
    EXPECT_EQ(status_of("registered-models/get?name=t", "unheard_of"), 0U);
}

TEST_F(SweepTest, takes_no_page_that_a_local_write_has_overtaken) {
    make_model("a", 2);
    sweep();
    mlflow_.most_turns = 3;
    // Its pages are asked for before a write, and answered after it.
    for (int round = 0; round < 20; ++round) {
        Sweep overtaken(sweep_deps());
        base::Result<bool> is_done = false;
        for (int value = 0; is_done && !*is_done; ++value) {
            auto step = net::testing::start_on(worker_, overtaken.step());
            worker_.context().poll_one();
            write("POST",
                  "model-versions/set-tag",
                  R"({"name": "a", "version": "1", "key": "k", "value": ")" + std::to_string(value) + R"("})");
            EXPECT_TRUE(is_equal());
            while (step.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
                worker_.context().run_one();
            }
            is_done = step.get();
            EXPECT_TRUE(is_equal());
        }
        EXPECT_TRUE(is_done);
    }
}

TEST_F(SweepTest, reads_again_what_it_could_not_take) {
    make_model("a", 2);
    sweep();
    elsewhere("POST", "model-versions/set-tag", R"({"name": "a", "version": "2", "key": "k", "value": "v"})");
    mlflow_.spoil = [this](std::string_view target) -> std::optional<testing::FakeAnswer> {
        // While a page is on its way, a write of the same model begins and ends.
        if (target.find("search?max_results=500") != std::string_view::npos) {
            replica_.confirmations.begin_write({"", "a"});
            replica_.confirmations.end_write({"", "a"});
        }
        return std::nullopt;
    };
    Sweep overtaken(sweep_deps());
    base::Result<bool> is_done = false;
    while (is_done && !*is_done && overtaken.record().rows < 3) {
        is_done = run(overtaken.step());
    }
    EXPECT_FALSE(is_equal());
    mlflow_.spoil = nullptr;
    while (is_done && !*is_done) {
        is_done = run(overtaken.step());
    }
    EXPECT_TRUE(is_done);
    EXPECT_TRUE(is_equal());
}

TEST_F(SweepTest, stops_at_a_wrong_answer_and_goes_on_after_it) {
    make_model("a", 2);
    Sweep sweep(sweep_deps());
    ASSERT_EQ(run(sweep.step()), false);
    for (const testing::FakeAnswer& wrong : {testing::FakeAnswer{500, "<html>"},
                                             testing::FakeAnswer{200, "[1"},
                                             testing::FakeAnswer{200, "[]"},
                                             testing::FakeAnswer{200, R"({"registered_models": {}})"},
                                             testing::FakeAnswer{200, R"({"registered_models": [1]})"},
                                             testing::FakeAnswer{200, R"({"registered_models": [{"name": 1}]})"},
                                             testing::FakeAnswer{404, "<html>"},
                                             testing::FakeAnswer{401, ""}}) {
        mlflow_.spoil = [&](std::string_view /*target*/) { return wrong; };
        EXPECT_FALSE(run(sweep.step())) << wrong.status << wrong.body;
        EXPECT_EQ(replica_.revision(), 0);
    }
    mlflow_.spoil = nullptr;
    base::Result<bool> is_done = false;
    while (is_done && !*is_done) {
        is_done = run(sweep.step());
    }
    EXPECT_TRUE(is_done);
    EXPECT_TRUE(is_equal());
}

TEST_F(SweepTest, keeps_what_a_newer_mlflow_says) {
    make_model("a", 1);
    mlflow_.spoil = [](std::string_view target) -> std::optional<testing::FakeAnswer> {
        if (target.find("model-versions/search") == std::string_view::npos ||
            target.find("filter") != std::string_view::npos) {
            return std::nullopt;
        }
        return testing::FakeAnswer{200, R"({"model_versions": [{"name": "a", "version": "1", "creation_timestamp": 5,
            "source": "s3://b/x", "current_stage": "None", "status": "READY", "of_tomorrow": [1]}]})"};
    };
    sweep();
    const std::optional<http::Response> answer = response_to("model-versions/get?name=a&version=1");
    ASSERT_TRUE(answer);
    EXPECT_NE(answer->body.find("of_tomorrow"), std::string::npos) << answer->body;
}

class PagedSweepTest : public SweepTest {
protected:
    PagedSweepTest() : SweepTest(2) {}
};

TEST_F(PagedSweepTest, reads_page_after_page) {
    for (const char* const name : {"a", "b", "c", "d", "e"}) {
        make_model(name, 3);
    }
    sweep();
    EXPECT_TRUE(is_equal());
    EXPECT_EQ(replica_.status().last_sweep->rows, 20);
}

TEST_F(PagedSweepTest, goes_on_after_a_restart_where_a_first_filling_was) {
    for (const char* const name : {"a", "b", "c", "d", "e"}) {
        make_model(name, 3);
    }
    {
        Sweep interrupted(sweep_deps());
        for (int i = 0; i < 7; ++i) {
            ASSERT_EQ(run(interrupted.step()), false);
        }
    }
    Replica restarted(store_, pool_, clock_);
    ASSERT_TRUE(restarted.open("http://mlflow:5000"));
    EXPECT_FALSE(restarted.is_complete());
    ASSERT_TRUE(restarted.status().position);
    EXPECT_EQ(restarted.status().position->phase, "versions");

    const std::uint64_t before = mlflow_.questions;
    Sweep resumed({worker_, restarted, reader_, pace_});
    base::Result<bool> is_done = false;
    while (is_done && !*is_done) {
        is_done = run(resumed.step());
    }
    EXPECT_TRUE(is_done);
    EXPECT_EQ(mlflow_.questions - before, 8U);  // workspaces, six pages of versions, one of prompts
    EXPECT_TRUE(restarted.is_complete());
    EXPECT_TRUE(is_equal());
}

TEST_F(PagedSweepTest, reads_models_of_any_name) {
    for (const std::string name : {"it's", "a b", "100%", "ü&x=1", "back\\\\slash", "both ' and \\\""}) {
        make_model(name, 3);
    }
    sweep();
    EXPECT_TRUE(is_equal());
    for (const std::string name : {"it's", "a b", "100%", "ü&x=1", "back\\\\slash", "both ' and \\\""}) {
        elsewhere("POST",
                  "model-versions/set-tag",
                  R"({"name": ")" + name + R"(", "version": "1", "key": "k", "value": "v"})");
        make_version(name);
    }
    for (const registry::ModelKey& key : {registry::ModelKey{"", "it's"},
                                          {"", "back\\slash"},
                                          {"", "both ' and \""},
                                          {"", "ü&x=1"},
                                          {"", "100%"},
                                          {"", "a b"}}) {
        ASSERT_TRUE(run(reread(worker_, replica_, reader_, {.key = key})));
    }
    EXPECT_TRUE(is_equal());
}

}  // namespace
}  // namespace replica
