#include "registry/json.hpp"

#include <string>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

namespace registry {

namespace {

namespace json = boost::json;

json::object parsed(std::string_view text) {
    return json::parse(text).as_object();
}

ModelVersion full_version() {
    ModelVersion version;
    version.name = "fox";
    version.version = 2;
    version.creation_timestamp = 1'755'172'800'000;
    version.last_updated_timestamp = 1'755'172'800'001;
    version.user_id = "ada";
    version.current_stage = "Staging";
    version.description = "d";
    version.source = "s3://b/x";
    version.run_id = "r";
    version.status_message = "why";
    version.tags = {{"z", "1"}, {"a", ""}};
    version.run_link = "l";
    version.aliases = {"a", "b"};
    version.unknown = {{"model_id", "m-1"}};
    return version;
}

constexpr std::string_view kFullVersion = R"({
  "name": "fox",
  "version": "2",
  "creation_timestamp": 1755172800000,
  "last_updated_timestamp": 1755172800001,
  "user_id": "ada",
  "current_stage": "Staging",
  "description": "d",
  "source": "s3://b/x",
  "run_id": "r",
  "status": "READY",
  "status_message": "why",
  "tags": [
    {
      "key": "z",
      "value": "1"
    },
    {
      "key": "a",
      "value": ""
    }
  ],
  "run_link": "l",
  "aliases": [
    "a",
    "b"
  ],
  "model_id": "m-1"
})";

TEST(Json, prints_a_version_as_mlflow_does) {
    EXPECT_EQ(registry::serialize(to_json(full_version())), kFullVersion);
}

TEST(Json, reads_a_version_back) {
    EXPECT_EQ(version_from_json(parsed(kFullVersion)).value(), full_version());
}

TEST(Json, leaves_out_what_is_unset_but_not_what_is_empty) {
    ModelVersion version;
    version.name = "fox";
    version.version = 1;
    version.source = "s";
    EXPECT_EQ(json::serialize(to_json(version)),
              R"({"name":"fox","version":"1","creation_timestamp":0,"last_updated_timestamp":0,"current_stage":"None",)"
              R"("source":"s","status":"READY"})");

    version.description = "";
    version.run_id = "";
    version.run_link = "";
    const json::object object = to_json(version);
    EXPECT_EQ(object.at("description"), "");
    EXPECT_EQ(object.at("run_id"), "");
    EXPECT_EQ(object.at("run_link"), "");
    EXPECT_EQ(version_from_json(object).value(), version);
}

TEST(Json, prints_and_reads_a_model) {
    RegisteredModel model;
    model.name = "fox";
    model.creation_timestamp = 1;
    model.last_updated_timestamp = 2;
    model.description = "d";
    model.latest_versions = {full_version()};
    model.tags = {{"k", "v"}};
    model.aliases = {{"a", 2}};
    model.unknown = {{"deployment_job_id", "7"}};

    const json::object object = to_json(model);

    EXPECT_EQ(
        json::serialize(object),
        R"({"name":"fox","creation_timestamp":1,"last_updated_timestamp":2,"description":"d","latest_versions":[)" +
            json::serialize(parsed(kFullVersion)) +
            R"(],"tags":[{"key":"k","value":"v"}],"aliases":[{"alias":"a","version":"2"}],)"
            R"("deployment_job_id":"7"})");
    EXPECT_EQ(model_from_json(object).value(), model);
}

TEST(Json, reads_numbers_that_came_as_strings) {
    const auto version = version_from_json(parsed(R"({"name": "fox", "version": "3", "creation_timestamp": "17"})"));
    EXPECT_EQ(version.value().version, 3);
    EXPECT_EQ(version.value().creation_timestamp, 17);
}

TEST(Json, refuses_what_is_no_entity) {
    for (const std::string_view text : {
             R"({})",
             R"({"name": "fox"})",
             R"({"name": "fox", "version": "0"})",
             R"({"name": "fox", "version": "x"})",
             R"({"name": 5, "version": "1"})",
             R"({"name": "fox", "version": "1", "tags": {}})",
             R"({"name": "fox", "version": "1", "tags": [5]})",
             R"({"name": "fox", "version": "1", "tags": [{"key": 5}]})",
             R"({"name": "fox", "version": "1", "aliases": [5]})",
             R"({"name": "fox", "version": "1", "creation_timestamp": 1.5})",
         }) {
        EXPECT_EQ(version_from_json(parsed(text)).error().code, base::Code::invalid_argument) << text;
    }
    for (const std::string_view text : {
             R"({})",
             R"({"name": "fox", "aliases": [{"alias": "a", "version": "x"}]})",
             R"({"name": "fox", "latest_versions": [{"name": "fox"}]})",
             R"({"name": "fox", "latest_versions": [5]})",
             R"({"name": "fox", "description": 5})",
         }) {
        EXPECT_EQ(model_from_json(parsed(text)).error().code, base::Code::invalid_argument) << text;
    }
}

TEST(Json, prints_empty_things_on_one_line) {
    EXPECT_EQ(registry::serialize({}), "{}");
    EXPECT_EQ(registry::serialize({{"a", json::array()}, {"b", json::object()}, {"c", 1.0}, {"é", "é"}}),
              "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": 1.0,\n  \"\\u00e9\": \"\\u00e9\"\n}");
}

}  // namespace

}  // namespace registry
