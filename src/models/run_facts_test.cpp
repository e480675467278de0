#include "models/run_facts.hpp"

#include "models/recorded.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace {

const base::WallTime kNow{std::chrono::seconds(1'700'000'000)};

constexpr const char* kAnswer = R"({"run": {
    "info": {"run_id": "r1", "experiment_id": "7", "status": "FINISHED", "artifact_uri": "s3://b/r1"},
    "data": {"metrics": [{"key": "accuracy", "value": 0.5}, {"key": "loss", "value": "NaN"}, {"key": "n", "value": 3}],
             "params": [{"key": "is_baseline", "value": "True"}, {"key": "empty"}]},
    "inputs": {"dataset_inputs": [{"dataset": {"name": "sales", "digest": "d1", "source_type": "http",
                                                "source": "{}"}}]}}})";

TEST(RunFacts, are_what_mlflow_tells) {
    const auto facts = models::facts_from_mlflow(boost::json::parse(kAnswer).as_object(), kNow);
    ASSERT_TRUE(facts);
    EXPECT_TRUE(facts->has_ended);
    EXPECT_EQ(facts->experiment_id, "7");
    EXPECT_EQ(facts->metrics, (std::map<std::string, double>{{"accuracy", 0.5}, {"n", 3}}));
    EXPECT_EQ(facts->unusable, std::vector<std::string>{"loss"});
    EXPECT_EQ(facts->params.at("empty"), "");
    ASSERT_EQ(facts->datasets.size(), 1U);
    EXPECT_EQ(facts->datasets[0].name, "sales");
    EXPECT_FALSE(models::facts_from_mlflow({}, kNow));
}

TEST(RunFacts, come_back_as_they_were_kept) {
    const auto facts = models::facts_from_mlflow(boost::json::parse(kAnswer).as_object(), kNow);
    const std::string text = models::to_text(*facts);
    const auto again = models::facts_from_text(text, kNow);
    ASSERT_TRUE(again);
    EXPECT_EQ(models::to_text(*again), text);
    EXPECT_EQ(again->metrics, facts->metrics);
    EXPECT_EQ(again->datasets.at(0).source, "{}");
    EXPECT_FALSE(models::facts_from_text("[", kNow));
}

TEST(RunFacts, only_metrics_better_when_higher_make_a_score) {
    const models::Metrics delta =
        models::difference({{"accuracy", 0.5}, {"loss", 1}, {"only_before", 1}}, {{"accuracy", 0.75}, {"loss", 2}});
    EXPECT_EQ(delta, (models::Metrics{{"accuracy", 0.25}, {"loss", 1}}));
    EXPECT_EQ(models::improvement_score(delta), 0.25);
    EXPECT_EQ(models::improvement_score({{"accuracy", -1}, {"f1", 0.5}}), 0.5);
}

TEST(RunFacts, versions_are_named_in_either_way) {
    EXPECT_EQ(models::parse_model_id("fox/3")->text(), "fox:3");
    EXPECT_EQ(models::parse_model_id("fox:3")->text(), "fox:3");
    EXPECT_FALSE(models::parse_model_id("fox"));
    EXPECT_FALSE(models::parse_model_id("fox/x"));
}

}  // namespace
