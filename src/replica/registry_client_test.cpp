#include "replica/registry_client.hpp"

#include <string>
#include <vector>

#include "replica/testing/replica_fixture.hpp"

namespace replica {
namespace {

mlflow::UpstreamAnswer answer_of(unsigned status, std::string body, bool is_whole = true) {
    return {.status = status, .is_whole = is_whole, .body = std::move(body)};
}

TEST(AnswerOfMlflow, is_an_object_or_says_that_nothing_is_there) {
    EXPECT_TRUE(object_of(answer_of(200, "{}")).value().has_value());
    EXPECT_FALSE(object_of(answer_of(404, R"({"error_code": "RESOURCE_DOES_NOT_EXIST"})")).value().has_value());
}

TEST(AnswerOfMlflow, that_is_anything_else_says_nothing) {
    for (const auto& [answer, code] : std::vector<std::pair<mlflow::UpstreamAnswer, base::Code>>{
             {answer_of(404, "<html>"), base::Code::unavailable},
             {answer_of(404, R"({"error_code": "ENDPOINT_NOT_FOUND"})"), base::Code::unavailable},
             {answer_of(404, "[]"), base::Code::unavailable},
             {answer_of(503, R"({"error_code": "RESOURCE_DOES_NOT_EXIST"})"), base::Code::unavailable},
             {answer_of(401, ""), base::Code::permission_denied},
             {answer_of(403, "Invalid Host header"), base::Code::permission_denied},
             {answer_of(200, ""), base::Code::data_loss},
             {answer_of(200, "[]"), base::Code::data_loss},
             {answer_of(200, R"({"a": 1)"), base::Code::data_loss},
             {answer_of(200, "{}", false), base::Code::data_loss}}) {
        const base::Result<std::optional<boost::json::object>> object = object_of(answer);
        ASSERT_FALSE(object) << answer.status << answer.body;
        EXPECT_EQ(object.error().code, code) << answer.status << answer.body;
    }
}

TEST(FilterOfName, quotes_with_what_the_name_does_not_have) {
    EXPECT_EQ(filter_of_name("a b"), "name = 'a b'");
    EXPECT_EQ(filter_of_name("it's"), "name = \"it's\"");
    EXPECT_EQ(filter_of_name("'\""), std::nullopt);
    EXPECT_EQ(filter_of_name("back\\slash"), std::nullopt);
}

class RegistryClientTest : public testing::ReplicaTest {};

TEST_F(RegistryClientTest, asks_for_pages_in_an_order_that_updates_do_not_change) {
    std::vector<std::string> asked;
    mlflow_.spoil = [&](std::string_view target) -> std::optional<testing::FakeAnswer> {
        asked.emplace_back(target);
        return std::nullopt;
    };
    ASSERT_TRUE(run(reader_.list_models({"", registry::kPromptFilter, ""})));
    ASSERT_TRUE(run(reader_.list_versions({"", "", ""})));
    EXPECT_EQ(asked.at(0),
              "/api/2.0/mlflow/registered-models/search?max_results=500&order_by=name%20ASC"
              "&filter=tags.%60mlflow.prompt.is_prompt%60%20%3D%20%27true%27");
    EXPECT_EQ(asked.at(1),
              "/api/2.0/mlflow/model-versions/search?max_results=500&order_by=name%20ASC"
              "&order_by=version_number%20ASC");
}

TEST_F(RegistryClientTest, knows_only_the_default_workspace_of_an_mlflow_that_has_none) {
    EXPECT_EQ(run(reader_.list_workspaces()), std::vector<std::string>{""});
    mlflow_.spoil = [](std::string_view /*target*/) { return testing::FakeAnswer{404, "<html>"}; };
    EXPECT_EQ(run(reader_.list_workspaces()), std::vector<std::string>{""});
}

TEST_F(RegistryClientTest, takes_no_workspace_that_would_end_a_head_early) {
    mlflow_.workspaces = {"default", "team", "a\r\nHost: evil", ""};
    EXPECT_EQ(run(reader_.list_workspaces()), (std::vector<std::string>{"", "team"}));
}

}  // namespace
}  // namespace replica
