#include <string>

#include "registry/testing/registry_fixture.hpp"

#include <gtest/gtest.h>

namespace registry::testing {

namespace {

class RegistryVersions : public RegistryFixture {
protected:
    std::string transition(int version, const std::string& stage, bool archives = false) {
        return post("model-versions/transition-stage",
                    R"({"name": "fox", "version": ")" + std::to_string(version) + R"(", "stage": ")" + stage +
                        R"(", "archive_existing_versions": )" + (archives ? "true}" : "false}"));
    }

    std::string version(int number) {
        return get("model-versions/get?name=fox&version=" + std::to_string(number));
    }

    std::string stage(int number) {
        return std::string(at(version(number), "/model_version/current_stage").as_string());
    }

    // "version stage" of each.
    std::string stages_of(const std::string& answer, const std::string& pointer) {
        std::string text;
        for (const auto& each : at(answer, pointer).as_array()) {
            text += (text.empty() ? "" : ", ") + std::string(each.at("version").as_string()) + " " +
                    std::string(each.at("current_stage").as_string());
        }
        return text;
    }
};

TEST_F(RegistryVersions, are_created_with_the_next_number_and_update_their_model) {
    create_model("fox");
    pass(std::chrono::milliseconds(5));
    user = "ada";
    const std::string answer = post("model-versions/create",
                                    R"({"name": "fox", "source": "s3://b/x", "run_id": "r", "run_link": "l",)"
                                    R"("description": "d", "tags": [{"key": "k", "value": "v"}]})");
    EXPECT_EQ(answer,
              R"({"model_version":{"name":"fox","version":"1","creation_timestamp":1755172800005,)"
              R"("last_updated_timestamp":1755172800005,"user_id":"ada","current_stage":"None","description":"d",)"
              R"("source":"s3://b/x","run_id":"r","status":"READY","tags":[{"key":"k","value":"v"}],"run_link":"l"}})");
    EXPECT_EQ(version(1), answer);
    EXPECT_EQ(at(get("registered-models/get?name=fox"), "/registered_model/last_updated_timestamp"), kStart + 5);

    user = "";
    EXPECT_EQ(post("model-versions/create", R"({"name": "fox", "source": "s3://b/x"})"),
              R"({"model_version":{"name":"fox","version":"2","creation_timestamp":1755172800005,)"
              R"("last_updated_timestamp":1755172800005,"current_stage":"None","description":"",)"
              R"("source":"s3://b/x","run_id":"","status":"READY","run_link":""}})");
}

TEST_F(RegistryVersions, need_a_model_and_valid_tags) {
    EXPECT_EQ(post("model-versions/create", R"({"name": "gone", "source": "s3://b/x"})"),
              "RESOURCE_DOES_NOT_EXIST: Registered Model with name=gone not found");
    EXPECT_EQ(post("model-versions/create", R"({"name": "a/b", "source": "s3://b/x"})"),
              "INVALID_PARAMETER_VALUE: Invalid model name 'a/b'. Names cannot contain '/' or ':'.");
    EXPECT_EQ(post("model-versions/create", R"({"name": "a/b", "source": "/tmp"})").substr(0, 65),
              "INVALID_PARAMETER_VALUE: Invalid model version source: '/tmp'. To");
}

TEST_F(RegistryVersions, count_deleted_ones) {
    create_model("fox");
    create_versions("fox", 4);
    EXPECT_EQ(send("DELETE", "model-versions/delete", R"({"name": "fox", "version": "4"})"), "{}");
    create_versions("fox", 1);
    EXPECT_TRUE(has(version(5), "/model_version"));
    EXPECT_EQ(version(4), "RESOURCE_DOES_NOT_EXIST: Model Version (name=fox, version=4) not found");
}

TEST_F(RegistryVersions, are_deleted_with_their_aliases_and_update_their_model) {
    create_model("fox");
    create_versions("fox", 2);
    post("registered-models/alias", R"({"name": "fox", "alias": "a", "version": "1"})");
    post("registered-models/alias", R"({"name": "fox", "alias": "b", "version": "2"})");
    pass(std::chrono::milliseconds(5));
    EXPECT_EQ(send("DELETE", "model-versions/delete", R"({"name": "fox", "version": "1"})"), "{}");

    const std::string model = get("registered-models/get?name=fox");
    EXPECT_EQ(boost::json::serialize(at(model, "/registered_model/aliases")), R"([{"alias":"b","version":"2"}])");
    EXPECT_EQ(at(model, "/registered_model/last_updated_timestamp"), kStart + 5);
    EXPECT_EQ(send("DELETE", "model-versions/delete", R"({"name": "fox", "version": "1"})"),
              "RESOURCE_DOES_NOT_EXIST: Model Version (name=fox, version=1) not found");
    EXPECT_EQ(send("DELETE", "model-versions/delete", R"({"name": "a/b", "version": "x"})"),
              "INVALID_PARAMETER_VALUE: Parameter 'version' must be an integer, got 'x'.");
}

TEST_F(RegistryVersions, show_a_given_description_even_if_it_is_empty) {
    create_model("fox");
    create_versions("fox", 1);
    pass(std::chrono::milliseconds(5));
    const auto update = [&](const std::string& more) {
        return send("PATCH", "model-versions/update", R"({"name": "fox", "version": "1")" + more + "}");
    };
    EXPECT_EQ(at(update(R"(, "description": "new")"), "/model_version/description"), "new");
    EXPECT_EQ(at(update(R"(, "description": "")"), "/model_version/description"), "");
    EXPECT_FALSE(has(update(""), "/model_version/description"));
    EXPECT_EQ(at(version(1), "/model_version/last_updated_timestamp"), kStart + 5);
    EXPECT_EQ(at(get("registered-models/get?name=fox"), "/registered_model/last_updated_timestamp"), kStart);
}

TEST_F(RegistryVersions, move_between_stages_and_update_their_model) {
    create_model("fox");
    create_versions("fox", 1);
    pass(std::chrono::milliseconds(5));
    const std::string answer = transition(1, "pRODUCTION");
    EXPECT_EQ(at(answer, "/model_version/current_stage"), "Production");
    EXPECT_EQ(at(answer, "/model_version/last_updated_timestamp"), kStart + 5);
    EXPECT_EQ(at(get("registered-models/get?name=fox"), "/registered_model/last_updated_timestamp"), kStart + 5);
    EXPECT_EQ(transition(1, "live"),
              "INVALID_PARAMETER_VALUE: Invalid Model Version stage: live. Value must be one of None, Staging, "
              "Production, Archived.");
    EXPECT_EQ(transition(9, "None"), "RESOURCE_DOES_NOT_EXIST: Model Version (name=fox, version=9) not found");
}

TEST_F(RegistryVersions, archive_the_others_of_an_active_stage) {
    create_model("fox");
    create_versions("fox", 4);
    transition(1, "Production");
    transition(2, "Production");
    transition(3, "Staging");
    pass(std::chrono::milliseconds(5));

    EXPECT_EQ(at(transition(4, "production", true), "/model_version/current_stage"), "Production");

    EXPECT_EQ(stage(1) + stage(2) + stage(3) + stage(4), "ArchivedArchivedStagingProduction");
    EXPECT_EQ(at(version(1), "/model_version/last_updated_timestamp"), kStart + 5);
    EXPECT_EQ(at(version(3), "/model_version/last_updated_timestamp"), kStart);
    EXPECT_EQ(at(transition(4, "Production", true), "/model_version/current_stage"), "Production");
    EXPECT_EQ(
        transition(4, "archived", true),
        "INTERNAL_ERROR: Model version transition cannot archive existing model versions because 'archived' is not "
        "an Active stage. Valid stages are ['Staging', 'Production']");
    EXPECT_EQ(transition(9, "Production", true),
              "RESOURCE_DOES_NOT_EXIST: Model Version (name=fox, version=9) not found");
    EXPECT_EQ(stage(4), "Production");
}

TEST_F(RegistryVersions, are_listed_by_stage) {
    create_model("fox");
    create_versions("fox", 6);
    transition(1, "Production");
    transition(2, "Staging");
    transition(3, "Production");
    transition(4, "Archived");
    post("registered-models/alias", R"({"name": "fox", "alias": "a", "version": "3"})");

    const std::string all = post("registered-models/get-latest-versions", R"({"name": "fox"})");
    EXPECT_EQ(stages_of(all, "/model_versions"), "3 Production, 2 Staging, 4 Archived, 6 None");
    EXPECT_EQ(boost::json::serialize(at(all, "/model_versions/0/aliases")), R"(["a"])");
    EXPECT_EQ(get("registered-models/get-latest-versions?name=fox"), all);
    EXPECT_EQ(stages_of(get("registered-models/get-latest-versions?name=fox&stages=none&stages=PRODUCTION"),
                        "/model_versions"),
              "3 Production, 6 None");
    EXPECT_EQ(get("registered-models/get-latest-versions?name=fox&stages=live"),
              "INVALID_PARAMETER_VALUE: Invalid Model Version stage: live. Value must be one of None, Staging, "
              "Production, Archived.");
    EXPECT_EQ(get("registered-models/get-latest-versions?name=gone&stages=live"),
              "RESOURCE_DOES_NOT_EXIST: Registered Model with name=gone not found");

    const std::string model = get("registered-models/get?name=fox");
    EXPECT_EQ(stages_of(model, "/registered_model/latest_versions"), "3 Production, 2 Staging, 4 Archived, 6 None");
    EXPECT_FALSE(has(model, "/registered_model/latest_versions/0/aliases"));
    EXPECT_EQ(stages_of(get("registered-models/search"), "/registered_models/0/latest_versions"),
              "4 Archived, 6 None, 3 Production, 2 Staging");
}

TEST_F(RegistryVersions, are_found_by_alias) {
    create_model("fox");
    EXPECT_EQ(get("registered-models/alias?name=fox&alias=latest"),
              "RESOURCE_DOES_NOT_EXIST: Latest version not found for model fox.");
    create_versions("fox", 3);
    post("registered-models/alias", R"({"name": "fox", "alias": "b", "version": "2"})");
    post("registered-models/alias", R"({"name": "fox", "alias": "a", "version": "2"})");
    transition(3, "Staging");

    const std::string answer = get("registered-models/alias?name=fox&alias=b");
    EXPECT_EQ(at(answer, "/model_version/version"), "2");
    EXPECT_EQ(boost::json::serialize(at(answer, "/model_version/aliases")), R"(["a","b"])");
    EXPECT_EQ(answer, version(2));
    EXPECT_EQ(at(get("registered-models/alias?name=fox&alias=LaTest"), "/model_version/version"), "3");
    EXPECT_EQ(get("registered-models/alias?name=fox&alias=B"),
              "INVALID_PARAMETER_VALUE: Registered model alias B not found.");
    EXPECT_EQ(get("registered-models/alias?name=gone&alias=b"),
              "RESOURCE_DOES_NOT_EXIST: Registered Model with name=gone not found");
    EXPECT_EQ(get("registered-models/alias?name=gone&alias=latest"),
              "RESOURCE_DOES_NOT_EXIST: Registered Model with name=gone not found");
}

TEST_F(RegistryVersions, take_tags_without_counting_as_updated) {
    create_model("fox");
    create_versions("fox", 1);
    pass(std::chrono::milliseconds(5));
    EXPECT_EQ(post("model-versions/set-tag", R"({"name": "fox", "version": "1", "key": "a", "value": "1"})"), "{}");
    EXPECT_EQ(post("model-versions/set-tag", R"({"name": "fox", "version": "1", "key": "b"})"), "{}");
    EXPECT_EQ(post("model-versions/set-tag", R"({"name": "fox", "version": "1", "key": "a", "value": "2"})"), "{}");
    EXPECT_EQ(boost::json::serialize(at(version(1), "/model_version/tags")),
              R"([{"key":"a","value":"2"},{"key":"b","value":""}])");
    EXPECT_EQ(at(version(1), "/model_version/last_updated_timestamp"), kStart);

    EXPECT_EQ(send("DELETE", "model-versions/delete-tag", R"({"name": "fox", "version": "1", "key": "a"})"), "{}");
    EXPECT_EQ(send("DELETE", "model-versions/delete-tag", R"({"name": "fox", "version": "1", "key": "a"})"), "{}");
    EXPECT_EQ(boost::json::serialize(at(version(1), "/model_version/tags")), R"([{"key":"b","value":""}])");
    const std::string missing = "RESOURCE_DOES_NOT_EXIST: Model Version (name=fox, version=9) not found";
    EXPECT_EQ(post("model-versions/set-tag", R"({"name": "fox", "version": "9", "key": "a"})"), missing);
    EXPECT_EQ(send("DELETE", "model-versions/delete-tag", R"({"name": "fox", "version": "9", "key": "a"})"), missing);
    EXPECT_EQ(post("model-versions/set-tag", R"({"name": "fox", "version": "x", "key": "a$"})"),
              "INVALID_PARAMETER_VALUE: Parameter 'version' must be an integer, got 'x'.");
}

TEST_F(RegistryVersions, have_a_download_uri) {
    create_model("fox");
    create_versions("fox", 1);
    EXPECT_EQ(get("model-versions/get-download-uri?name=fox&version=1"), R"({"artifact_uri":"s3://b/x"})");
    post("model-versions/create", R"({"name": "fox", "source": "models:/fox/1"})");
    EXPECT_EQ(at(version(2), "/model_version/source"), "models:/fox/1");
    EXPECT_EQ(at(version(2), "/model_version/run_id"), "r");
    EXPECT_EQ(get("model-versions/get-download-uri?name=fox&version=2"), R"({"artifact_uri":"s3://b/x"})");
    EXPECT_EQ(get("model-versions/get-download-uri"),
              "INVALID_PARAMETER_VALUE: Missing value for required parameter 'name'.");
}

}  // namespace

}  // namespace registry::testing
