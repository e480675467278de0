#include <string>

#include "registry/testing/registry_fixture.hpp"

#include <gtest/gtest.h>

namespace registry::testing {

namespace {

using RegistryModels = RegistryFixture;

constexpr std::string_view kNotFound = "RESOURCE_DOES_NOT_EXIST: Registered Model with name=gone not found";

TEST_F(RegistryModels, are_created_with_tags_of_which_the_last_value_counts) {
    const std::string answer = post("registered-models/create",
                                    R"({"name": "fox", "description": "d", "tags": [{"key": "a", "value": "1"},)"
                                    R"({"key": "b"}, {"key": "a", "value": "2"}]})");
    const std::string expected = R"({"registered_model":{"name":"fox","creation_timestamp":1755172800000,)"
                                 R"("last_updated_timestamp":1755172800000,"description":"d",)"
                                 R"("tags":[{"key":"a","value":"2"},{"key":"b","value":""}]}})";
    EXPECT_EQ(answer, expected);
    EXPECT_EQ(get("registered-models/get?name=fox"), expected);
}

TEST_F(RegistryModels, are_not_created_twice) {
    create_model("fox");
    EXPECT_EQ(post("registered-models/create", R"({"name": "fox"})"),
              "RESOURCE_ALREADY_EXISTS: Registered Model (name=fox) already exists.");
    EXPECT_EQ(post("registered-models/create", R"({"name": " "})"),
              "INVALID_PARAMETER_VALUE: Missing value for required parameter 'name'.");
    EXPECT_EQ(post("registered-models/create", R"({"name": ")" + std::string(257, 'x') + "\"}"),
              "INVALID_PARAMETER_VALUE: 'name' exceeds the maximum length of 256 characters");
    EXPECT_EQ(post("registered-models/create", R"({"name": "owl", "tags": [{"key": "a$"}]})").substr(0, 40),
              "INVALID_PARAMETER_VALUE: Invalid value \"");
}

TEST_F(RegistryModels, and_prompts_share_their_names) {
    const std::string prompt = R"("tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]})";
    create_model("fox");
    create_model("it's");
    EXPECT_TRUE(has(post("registered-models/create", R"({"name": "ask", )" + prompt), "/registered_model"));

    EXPECT_EQ(post("registered-models/create", R"({"name": "ask", )" + prompt),
              "RESOURCE_ALREADY_EXISTS: Prompt (name=ask) already exists.");
    const std::string end = ". MLflow does not allow creating a model and a prompt with the same name.";
    EXPECT_EQ(post("registered-models/create", R"({"name": "ask"})"),
              "RESOURCE_ALREADY_EXISTS: Tried to create a registered model with name 'ask', but the name is already "
              "taken by a prompt" +
                  end);
    EXPECT_EQ(post("registered-models/create", R"({"name": "it's", )" + prompt),
              "RESOURCE_ALREADY_EXISTS: Tried to create a prompt with name \"it's\", but the name is already taken by "
              "a registered model" +
                  end);
}

TEST_F(RegistryModels, are_renamed_with_everything) {
    create_model("fox");
    create_versions("fox", 2);
    post("registered-models/set-tag", R"({"name": "fox", "key": "k", "value": "v"})");
    post("registered-models/alias", R"({"name": "fox", "alias": "a", "version": "1"})");
    pass(std::chrono::milliseconds(5));

    const std::string answer = post("registered-models/rename", R"({"name": "fox", "new_name": "owl"})");

    EXPECT_EQ(at(answer, "/registered_model/name"), "owl");
    EXPECT_EQ(at(answer, "/registered_model/creation_timestamp"), kStart);
    EXPECT_EQ(at(answer, "/registered_model/last_updated_timestamp"), kStart + 5);
    EXPECT_EQ(at(answer, "/registered_model/tags/0/value"), "v");
    EXPECT_EQ(at(answer, "/registered_model/latest_versions/0/name"), "owl");
    EXPECT_EQ(answer, get("registered-models/get?name=owl"));
    EXPECT_EQ(at(get("registered-models/alias?name=owl&alias=a"), "/model_version/last_updated_timestamp"), kStart + 5);
    EXPECT_EQ(at(get("model-versions/get?name=owl&version=2"), "/model_version/last_updated_timestamp"), kStart + 5);
    EXPECT_EQ(get("registered-models/get?name=fox"),
              "RESOURCE_DOES_NOT_EXIST: Registered Model with name=fox not found");
}

TEST_F(RegistryModels, are_not_renamed_onto_others) {
    create_model("fox");
    create_model("owl");
    EXPECT_EQ(post("registered-models/rename", R"({"name": "fox", "new_name": "owl"})"),
              "RESOURCE_ALREADY_EXISTS: Registered Model (name=owl) already exists.");
    EXPECT_EQ(post("registered-models/rename", R"({"name": "gone", "new_name": "owl"})"), kNotFound);
    EXPECT_EQ(post("registered-models/rename", R"({"name": "fox", "new_name": "  "})"),
              "INVALID_PARAMETER_VALUE: Missing value for required parameter 'new_name'.");
    EXPECT_EQ(post("registered-models/rename", R"({"name": "fox", "new_name": "a/b"})"),
              "INVALID_PARAMETER_VALUE: Invalid model name 'a/b'. Names cannot contain '/' or ':'.");
    EXPECT_EQ(at(post("registered-models/rename", R"({"name": "fox", "new_name": "fox"})"), "/registered_model/name"),
              "fox");
}

TEST_F(RegistryModels, lose_their_description_when_an_update_has_none) {
    create_model("fox");
    create_versions("fox", 1);
    pass(std::chrono::milliseconds(5));
    const std::string answer = send("PATCH", "registered-models/update", R"({"name": "fox", "description": "new"})");
    EXPECT_EQ(at(answer, "/registered_model/description"), "new");
    EXPECT_EQ(at(answer, "/registered_model/last_updated_timestamp"), kStart + 5);
    EXPECT_EQ(at(answer, "/registered_model/latest_versions/0/version"), "1");
    EXPECT_FALSE(has(send("PATCH", "registered-models/update", R"({"name": "fox"})"), "/registered_model/description"));
    EXPECT_EQ(send("PATCH", "registered-models/update", R"({"name": "gone"})"), kNotFound);
}

TEST_F(RegistryModels, are_deleted_with_everything_and_begin_anew) {
    create_model("fox");
    create_versions("fox", 3);
    EXPECT_EQ(send("DELETE", "registered-models/delete", R"({"name": "fox"})"), "{}");
    EXPECT_EQ(get("model-versions/get?name=fox&version=1"),
              "RESOURCE_DOES_NOT_EXIST: Model Version (name=fox, version=1) not found");
    EXPECT_EQ(send("DELETE", "registered-models/delete", R"({"name": "gone"})"), kNotFound);
    create_model("fox");
    create_versions("fox", 1);
    EXPECT_TRUE(has(get("model-versions/get?name=fox&version=1"), "/model_version"));
}

TEST_F(RegistryModels, take_tags_without_counting_as_updated) {
    create_model("fox");
    pass(std::chrono::milliseconds(5));
    EXPECT_EQ(post("registered-models/set-tag", R"({"name": "fox", "key": "a", "value": "1"})"), "{}");
    EXPECT_EQ(post("registered-models/set-tag", R"({"name": "fox", "key": "b"})"), "{}");
    EXPECT_EQ(post("registered-models/set-tag", R"({"name": "fox", "key": "a", "value": "2"})"), "{}");
    const std::string answer = get("registered-models/get?name=fox");
    EXPECT_EQ(boost::json::serialize(at(answer, "/registered_model/tags")),
              R"([{"key":"a","value":"2"},{"key":"b","value":""}])");
    EXPECT_EQ(at(answer, "/registered_model/last_updated_timestamp"), kStart);

    EXPECT_EQ(send("DELETE", "registered-models/delete-tag", R"({"name": "fox", "key": "a"})"), "{}");
    EXPECT_EQ(send("DELETE", "registered-models/delete-tag", R"({"name": "fox", "key": "absent"})"), "{}");
    EXPECT_EQ(boost::json::serialize(at(get("registered-models/get?name=fox"), "/registered_model/tags")),
              R"([{"key":"b","value":""}])");
    EXPECT_EQ(post("registered-models/set-tag", R"({"name": "gone", "key": "a"})"), kNotFound);
    EXPECT_EQ(send("DELETE", "registered-models/delete-tag", R"({"name": "gone", "key": "a"})"), kNotFound);
}

TEST_F(RegistryModels, take_aliases_without_counting_as_updated) {
    create_model("fox");
    create_versions("fox", 2);
    pass(std::chrono::milliseconds(5));
    const auto set = [&](const std::string& alias, const std::string& version) {
        return post("registered-models/alias",
                    R"({"name": "fox", "alias": ")" + alias + R"(", "version": ")" + version + "\"}");
    };
    EXPECT_EQ(set("z", "1"), "{}");
    EXPECT_EQ(set("a", "1"), "{}");
    EXPECT_EQ(set("z", "02"), "{}");
    const std::string answer = get("registered-models/get?name=fox");
    EXPECT_EQ(boost::json::serialize(at(answer, "/registered_model/aliases")),
              R"([{"alias":"a","version":"1"},{"alias":"z","version":"2"}])");
    EXPECT_EQ(at(answer, "/registered_model/last_updated_timestamp"), kStart);

    EXPECT_EQ(set("a", "9"), "RESOURCE_DOES_NOT_EXIST: Model Version (name=fox, version=9) not found");
    EXPECT_EQ(set("LATEST", "1"), "INVALID_PARAMETER_VALUE: 'latest' alias name (case insensitive) is reserved.");
    EXPECT_EQ(set("v7", "1"), "INVALID_PARAMETER_VALUE: Version alias name 'v7' is reserved.");
    EXPECT_EQ(set("a b", "x").substr(0, 47), "INVALID_PARAMETER_VALUE: Invalid alias name: 'a");
    EXPECT_EQ(set("a", "x"), "INVALID_PARAMETER_VALUE: Parameter 'version' must be an integer, got 'x'.");

    EXPECT_EQ(send("DELETE", "registered-models/alias", R"({"name": "fox", "alias": "a"})"), "{}");
    EXPECT_EQ(send("DELETE", "registered-models/alias", R"({"name": "fox", "alias": "a"})"), "{}");
    EXPECT_EQ(send("DELETE", "registered-models/alias", R"({"name": "gone", "alias": "a"})"), kNotFound);
    EXPECT_EQ(get("registered-models/alias?name=fox&alias=a"),
              "INVALID_PARAMETER_VALUE: Registered model alias a not found.");
}

TEST_F(RegistryModels, are_apart_in_other_workspaces) {
    create_model("fox");
    workspace = "team";
    EXPECT_EQ(get("registered-models/get?name=fox"),
              "RESOURCE_DOES_NOT_EXIST: Registered Model with name=fox not found");
    create_model("fox");
    create_versions("fox", 2);
    workspace = "";
    EXPECT_FALSE(has(get("registered-models/get?name=fox"), "/registered_model/latest_versions"));
    EXPECT_EQ(get("model-versions/search"), "{}");
}

TEST_F(RegistryModels, of_a_refused_call_stay_as_they_were) {
    create_model("fox");
    create_versions("fox", 1);
    pass(std::chrono::milliseconds(5));
    EXPECT_EQ(post("model-versions/create", R"({"name": "fox", "source": "s3://b/x", "tags": [{"key": ".."}]})")
                  .substr(0, 24),
              "INVALID_PARAMETER_VALUE:");
    EXPECT_EQ(at(get("registered-models/get?name=fox"), "/registered_model/last_updated_timestamp"), kStart);
}

}  // namespace

}  // namespace registry::testing
