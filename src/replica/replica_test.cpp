#include "replica/replica.hpp"

#include "replica/testing/replica_fixture.hpp"

namespace replica {
namespace {

class ReplicaAnswersTest : public testing::ReplicaTest {
protected:
    ReplicaAnswersTest() {
        elsewhere("POST", "registered-models/create", R"({"name": "m"})");
        elsewhere("POST", "model-versions/create", R"({"name": "m", "source": "s3://b/x"})");
        elsewhere("POST", "registered-models/alias", R"({"name": "m", "alias": "champion", "version": "1"})");
    }

    static std::string header(const http::Response& response, std::string_view name) {
        for (const auto& [key, value] : response.headers) {
            if (key == name) {
                return value;
            }
        }
        return "-";
    }
};

TEST_F(ReplicaAnswersTest, are_mlflow_s_own) {
    sweep();
    for (const char* const target : {"registered-models/get?name=m",
                                     "registered-models/get?name=x",
                                     "registered-models/search",
                                     "registered-models/alias?name=m&alias=champion",
                                     "registered-models/alias?name=m&alias=latest",
                                     "registered-models/alias?name=m&alias=x",
                                     "model-versions/get?name=m&version=1",
                                     "model-versions/get?name=m&version=2",
                                     "model-versions/search?filter=name%3D%27m%27",
                                     "model-versions/search?filter=nonsense",
                                     "registered-models/get-latest-versions?name=m"}) {
        const testing::FakeAnswer expected = mlflow_.answer("GET", "/api/2.0/mlflow/" + std::string(target));
        const std::optional<http::Response> answer = response_to(target);
        ASSERT_TRUE(answer) << target;
        EXPECT_EQ(answer->status, expected.status) << target;
        EXPECT_EQ(answer->body, expected.body) << target;
    }
}

TEST_F(ReplicaAnswersTest, say_where_they_come_from_and_how_old_they_are) {
    sweep();
    clock_.advance(std::chrono::seconds(42));
    const std::optional<http::Response> answer = response_to("registered-models/get?name=m");
    ASSERT_TRUE(answer);
    EXPECT_EQ(header(*answer, "X-Hokusai-Source"), "replica");
    EXPECT_EQ(header(*answer, "Age"), "42");
    EXPECT_EQ(header(*answer, "X-Hokusai-Revision"), std::to_string(replica_.revision()));

    write("POST", "registered-models/set-tag", R"({"name": "m", "key": "k", "value": "v"})");
    EXPECT_EQ(header(*response_to("registered-models/get?name=m"), "Age"), "0");
    EXPECT_EQ(header(*response_to("model-versions/get?name=m&version=1"), "Age"), "42");
}

TEST_F(ReplicaAnswersTest, are_as_old_as_the_version_an_alias_was_moved_to) {
    elsewhere("POST", "model-versions/create", R"({"name": "m", "source": "s3://b/x"})");
    sweep();
    clock_.advance(std::chrono::seconds(10));
    const registry::Call call = call_of("GET", "registered-models/alias?name=m&alias=champion");
    Replica::Merge seen;
    seen.views = {*view_of(call, target_of(call).value(), mlflow_.answer(call).body, replica_.ask())};
    ASSERT_TRUE(run(replica_.merge(worker_, seen)));
    EXPECT_EQ(header(*response_to("registered-models/alias?name=m&alias=champion"), "Age"), "0");

    write("POST", "registered-models/alias", R"({"name": "m", "alias": "champion", "version": "2"})");
    clock_.advance(std::chrono::seconds(1));
    EXPECT_EQ(header(*response_to("registered-models/alias?name=m&alias=champion"), "Age"), "11");
}

TEST_F(ReplicaAnswersTest, are_not_pretended_before_everything_was_read) {
    Sweep filling(sweep_deps());
    EXPECT_EQ(status_of("model-versions/get?name=m&version=1"), 0U);
    ASSERT_EQ(run(filling.step()), false);
    ASSERT_EQ(run(filling.step()), false);
    EXPECT_EQ(status_of("model-versions/get?name=m&version=1"), 200U);
    EXPECT_EQ(status_of("registered-models/alias?name=m&alias=champion"), 200U);
    EXPECT_EQ(status_of("registered-models/alias?name=m&alias=latest"), 0U);
    EXPECT_EQ(status_of("model-versions/get?name=m&version=2"), 0U);
    EXPECT_EQ(status_of("registered-models/get?name=m"), 0U);
    EXPECT_EQ(status_of("registered-models/search"), 0U);
    EXPECT_EQ(status_of("registered-models/get-latest-versions?name=m"), 0U);
    while (!*run(filling.step())) {
    }
    EXPECT_EQ(status_of("model-versions/get?name=m&version=2"), 404U);
    EXPECT_EQ(status_of("registered-models/search"), 200U);
}

TEST_F(ReplicaAnswersTest, of_a_broken_store_are_none) {
    sweep();
    store_.is_broken = true;
    EXPECT_EQ(status_of("model-versions/get?name=m&version=1"), 0U);
}

TEST_F(ReplicaAnswersTest, survive_a_restart_with_their_age) {
    sweep();
    clock_.advance(std::chrono::seconds(7));
    Replica restarted(store_, pool_, clock_);
    ASSERT_TRUE(restarted.open("http://mlflow:5000"));
    EXPECT_TRUE(restarted.is_complete());
    EXPECT_EQ(restarted.revision(), replica_.revision());
    EXPECT_EQ(restarted.confirmations.last_sweep(), clock_.now() - std::chrono::seconds(7));
}

TEST_F(ReplicaAnswersTest, of_another_mlflow_are_forgotten) {
    sweep();
    Replica other(store_, pool_, clock_);
    ASSERT_TRUE(other.open("http://elsewhere:5000"));
    EXPECT_FALSE(other.is_complete());
    EXPECT_EQ(other.status().counts.models, 0);
    EXPECT_EQ(other.status().upstream, "http://elsewhere:5000");
    EXPECT_GE(other.revision(), replica_.revision());
}

TEST_F(ReplicaAnswersTest, of_models_that_were_marked_stay_marked_after_a_restart) {
    sweep();
    run(replica_.mark(worker_, {"", "m"}, MarkReason::not_stored));
    run(replica_.mark(worker_, {"", "n"}, MarkReason::unknown_outcome));
    Replica restarted(store_, pool_, clock_);
    ASSERT_TRUE(restarted.open("http://mlflow:5000"));
    EXPECT_EQ(restarted.marked(), replica_.marked());
    EXPECT_TRUE(restarted.confirmations.is_lost({"", "m"}));
    EXPECT_FALSE(restarted.confirmations.is_lost({"", "n"}));
}

TEST_F(ReplicaAnswersTest, are_not_set_back_by_an_answer_asked_for_earlier) {
    sweep();
    const Asked early = replica_.ask();
    const registry::ModelVersion old =
        *store_read([](registry::Reader& reader) { return reader.find_version({"", "m"}, 1).value(); });
    clock_.advance(std::chrono::seconds(1));
    const Asked late = replica_.ask();

    ModelView newer;
    newer.key = {"", "m"};
    newer.versions = {old};
    newer.versions.front().aliases = {"champion"};
    newer.knows_aliases = true;
    ModelView older = newer;
    older.asked = early;
    newer.asked = late;
    newer.versions.front().description = "new";
    Replica::Merge first;
    first.views = {newer};
    Replica::Merge second;
    second.views = {older};
    EXPECT_EQ(run(replica_.merge(worker_, first))->changes, 1);
    EXPECT_EQ(run(replica_.merge(worker_, second))->changes, 0);
}

}  // namespace
}  // namespace replica
