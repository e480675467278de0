#include "registry/source.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "registry/query.hpp"
#include "registry/testing/memory_store.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace registry::testing {

namespace {

using Cases = std::vector<std::pair<std::string, std::string>>;

// fox with version 1 of run r (alias `champion`, stage Production) and version 2; the prompt ask.
class SourceTest : public ::testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(store.write([](Writer& writer) -> base::Result<void> {
            RegisteredModel fox;
            fox.name = "fox";
            fox.aliases = {{"champion", 1}};
            RegisteredModel ask;
            ask.name = "ask";
            ask.tags = {{std::string(kPromptTag), "True"}};
            ModelVersion first;
            first.name = "fox";
            first.version = 1;
            first.source = "models:/x/1";
            first.artifact_uri = "s3://b/1";
            first.run_id = "r";
            first.current_stage = "Production";
            ModelVersion second = first;
            second.version = 2;
            second.source = "s3://b/2";
            second.artifact_uri = "";
            second.run_id.reset();
            second.current_stage = "None";
            EXPECT_TRUE(writer.put_model("", fox));
            EXPECT_TRUE(writer.put_model("", ask));
            EXPECT_TRUE(writer.put_version("", first));
            return writer.put_version("", second);
        }));
    }

    // "source artifact_uri run", or the error.
    std::string resolved(const Source& source) {
        std::string text;
        EXPECT_TRUE(store.read([&](Reader& reader) -> base::Result<void> {
            const auto origin = resolve_source(Catalog(reader, ""), source);
            text = origin ? origin->source + " " + origin->artifact_uri + " " + origin->run_id.value_or("-")
                          : std::string(base::mlflow_error_code(origin.error().code)) + ": " + origin.error().message;
            return {};
        }));
        return text;
    }

    std::string resolved(const std::string& uri) {
        return resolved(Source{uri, std::nullopt, std::nullopt});
    }

    static std::string refused(const std::string& uri, const std::string& why) {
        return "INVALID_PARAMETER_VALUE: Invalid model version source: '" + uri + "'. " + why;
    }

    static std::string without(const std::string& uri, const std::string& parameter) {
        return refused(uri,
                       "The " + parameter + " request parameter must identify the resource that contains the source.");
    }

    MemoryStore store;
};

TEST_F(SourceTest, may_be_any_absolute_location) {
    for (const std::string uri : {"s3://b/x",
                                  "s3://b/x/",
                                  "s3:/b/x",
                                  "S3://b//x",
                                  "s3://b/a b",
                                  "s3://b/a+b%20c",
                                  "s3://b/x?y=../z",
                                  "s3://b/ö",
                                  "gs://b/x",
                                  "wasbs://c@a/x",
                                  "dbfs:/x",
                                  "databricks://x/y",
                                  "hokusai:/registrations/7",
                                  "docker://x/y"}) {
        EXPECT_EQ(resolved(Source{uri, "r", std::nullopt}), fmt::format("{0} {0} r", uri));
        EXPECT_EQ(resolved(uri), fmt::format("{0} {0} ", uri));
    }
}

TEST_F(SourceTest, may_not_lead_elsewhere) {
    for (const std::string uri : {"s3://b",
                                  "s3://b/",
                                  "s3:x",
                                  "s3://b/./x",
                                  "s3://b/../x",
                                  "s3://b/%2e%2e/x",
                                  "s3://b/%252e%252e/x",
                                  "s3://b/x%00",
                                  "dbfs:x",
                                  "databricks",
                                  "C:\\x",
                                  "a:b"}) {
        EXPECT_EQ(resolved(uri),
                  refused(uri,
                          "If supplying a source as an http, https, local file path, ftp, objectstore, or "
                          "mlflow-artifacts uri, an absolute path must be provided without relative path references "
                          "present. Please provide an absolute path."));
    }
}

TEST_F(SourceTest, may_not_be_local) {
    for (const std::string uri :
         {"/tmp/x", "tmp", "./x", "file:///tmp/x", "file://localhost/x", "file:x", "ö", "1s://b/x"}) {
        EXPECT_EQ(resolved(uri),
                  refused(uri,
                          "To use a local path as a model version source, the run_id request parameter has to be "
                          "specified and the local path has to be contained within the artifact directory of the run "
                          "specified by the run_id."));
        EXPECT_EQ(resolved(Source{uri, "r", std::nullopt}), without(uri, "run_id"));
        EXPECT_EQ(resolved(Source{uri, "r", "m-1"}), without(uri, "model_id"));
    }
    EXPECT_EQ(resolved("file://remote/x").substr(0, 56), "INTERNAL_ERROR: file://remote/x is not a valid remote ur");
}

TEST_F(SourceTest, may_not_name_a_host) {
    for (const std::string scheme :
         {"ftp", "sftp", "hdfs", "viewfs", "http", "https", "mlflow-artifacts", "r2", "b2", "abfss"}) {
        EXPECT_EQ(
            resolved(scheme + "://h/x"),
            fmt::format("INVALID_PARAMETER_VALUE: 'source' cannot use the '{0}' scheme: the '{0}' scheme addresses a "
                        "host other than the tracking server's configured artifact storage, so the server would "
                        "connect to the host named in the URI. Set the "
                        "MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES environment variable on the server to "
                        "allow it.",
                        scheme));
    }
    EXPECT_EQ(resolved(Source{"mlflow-artifacts:/x", "r", std::nullopt}), without("mlflow-artifacts:/x", "run_id"));
}

TEST_F(SourceTest, within_a_run_needs_that_run) {
    EXPECT_EQ(resolved(Source{"runs:/r/model", "r", std::nullopt}), "runs:/r/model runs:/r/model r");
    EXPECT_EQ(resolved(Source{"runs:/r", "r", std::nullopt}), "runs:/r runs:/r r");
    EXPECT_EQ(resolved("runs:/r/model"), without("runs:/r/model", "run_id"));
    EXPECT_EQ(resolved(Source{"runs:/q/model", "r", std::nullopt}), without("runs:/q/model", "run_id"));
    EXPECT_EQ(resolved(Source{"runs://h/r/model", "r", std::nullopt}), without("runs://h/r/model", "run_id"));
    EXPECT_EQ(resolved(Source{"runs:/r/model", "r", "m-1"}), without("runs:/r/model", "model_id"));
}

TEST_F(SourceTest, that_is_a_version_is_resolved_to_where_that_is) {
    const std::string first = "models:/fox/1 s3://b/1 r";
    const std::string second = "models:/fox/2 s3://b/2 -";
    for (const auto& [uri, expected] : Cases{{"models:/fox/1", first},
                                             {"models:/fox/01", first},
                                             {"MODELS:///fox/1?x", first},
                                             {"models:/fox@champion", first},
                                             {"models:/fox/production", first},
                                             {"models:/fox/2", second},
                                             {"models:/fox/None", second},
                                             {"models:/fox/Latest", second},
                                             {"models:/fox@latest", second}}) {
        EXPECT_EQ(resolved(uri), expected) << uri;
    }
    EXPECT_EQ(resolved(Source{"models:/fox/1", "r", ""}), first);
    EXPECT_EQ(resolved(Source{"models:/fox/2", "", std::nullopt}), "models:/fox/2 s3://b/2 ");
}

TEST_F(SourceTest, that_is_a_version_has_to_be_one_of_this_registry_with_the_same_run) {
    const std::string mismatch = "The run_id and model_id request parameters must match the referenced model version.";
    EXPECT_EQ(resolved(Source{"models:/fox/1", "q", std::nullopt}), refused("models:/fox/1", mismatch));
    EXPECT_EQ(resolved(Source{"models:/fox/1", "", std::nullopt}), refused("models:/fox/1", mismatch));
    EXPECT_EQ(resolved(Source{"models:/fox/1", "r", "m-1"}), refused("models:/fox/1", mismatch));
    for (const auto& [uri, expected] : Cases{
             {"models://h/fox/1",
              refused("models://h/fox/1", "Registered model sources must use the active model registry.")},
             {"models:/ask/1", refused("models:/ask/1", "Prompt versions cannot be used as model version sources.")},
             {"models:/gone/1", "RESOURCE_DOES_NOT_EXIST: Registered Model with name=gone not found"},
             {"models:/fox/9", "RESOURCE_DOES_NOT_EXIST: Model Version (name=fox, version=9) not found"},
             {"models:/fox@gone", "INVALID_PARAMETER_VALUE: Registered model alias gone not found."},
             {"models:/fox/Staging", "INTERNAL_ERROR: No versions of model with name 'fox' and stage 'Staging' found"},
             {"models:/fox/1#x",
              "INVALID_PARAMETER_VALUE: Invalid Model Version stage: 1#x. Value must be one of None, Staging, "
              "Production, Archived."},
             {"models:/@champion", "INVALID_PARAMETER_VALUE: Missing value for required parameter 'name'."},
         }) {
        EXPECT_EQ(resolved(uri), expected) << uri;
    }
    for (const std::string uri :
         {"models:fox/1", "models:/", "models:/fox/", "models:/fox/1/2", "models:/ /1", "models:/fox@"}) {
        EXPECT_EQ(resolved(uri), without(uri, "model_id"));
    }
}

TEST_F(SourceTest, that_is_a_logged_model_is_unknown_here) {
    EXPECT_EQ(resolved("models:/m-1"), without("models:/m-1", "model_id"));
    EXPECT_EQ(resolved(Source{"models:/m-1", std::nullopt, "m-2"}), without("models:/m-1", "model_id"));
    EXPECT_EQ(
        resolved(Source{"models:/m-1", std::nullopt, "m-1"}),
        "INTERNAL_ERROR: Unable to fetch model from model URI source artifact location 'models:/m-1'.Error: Logged "
        "model with ID 'm-1' not found.");
    EXPECT_EQ(resolved(Source{"s3://b/x", "r", "m-1"}),
              "RESOURCE_DOES_NOT_EXIST: Logged model with ID 'm-1' not found.");
}

TEST_F(SourceTest, of_a_prompt_is_a_placeholder) {
    EXPECT_EQ(resolve_prompt_source({"dummy-source", std::nullopt, std::nullopt}).value().source, "dummy-source");
    EXPECT_EQ(resolve_prompt_source({"prompt-template", "r", std::nullopt}).value().run_id, "r");
    EXPECT_EQ(resolve_prompt_source({"s3://b/x", std::nullopt, std::nullopt}).error().message,
              "Invalid prompt source: 's3://b/x'. Prompt sources must use an MLflow placeholder.");
}

}  // namespace

}  // namespace registry::testing
