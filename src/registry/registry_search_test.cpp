#include <string>

#include "registry/testing/registry_fixture.hpp"

#include <gtest/gtest.h>

namespace registry::testing {

namespace {

class RegistrySearch : public RegistryFixture {
protected:
    void SetUp() override {
        for (const char* name : {"ant", "bee", "cat"}) {
            create_model(name);
            pass(std::chrono::milliseconds(1));
            create_versions(name, 2);
            pass(std::chrono::milliseconds(1));
        }
        post("registered-models/create",
             R"({"name": "ask", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]})");
        post(
            "model-versions/create",
            R"({"name": "ask", "source": "dummy-source", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]})");
    }

    // The names of a page, and the token of the next.
    static std::string names(const std::string& answer) {
        std::string text;
        const boost::json::value parsed = boost::json::parse(answer);
        for (const char* list : {"registered_models", "model_versions"}) {
            if (const auto* found = parsed.as_object().if_contains(list)) {
                for (const auto& each : found->as_array()) {
                    text += std::string(each.at("name").as_string());
                    text += each.as_object().contains("version") ? std::string(each.at("version").as_string()) : "";
                    text += " ";
                }
            }
        }
        const auto* token = parsed.as_object().if_contains("next_page_token");
        return text + (token == nullptr ? "" : "+ " + std::string(token->as_string()));
    }
};

TEST_F(RegistrySearch, finds_models_in_the_order_of_their_names) {
    EXPECT_EQ(names(get("registered-models/search")), "ant bee cat ");
    EXPECT_EQ(names(get("registered-models/search?order_by=timestamp+DESC&filter=name+LIKE+'%25a%25'")), "cat ant ");
    EXPECT_EQ(names(get("registered-models/search?filter=tags.`mlflow.prompt.is_prompt`+=+'true'")), "ask ");
}

TEST_F(RegistrySearch, finds_versions_from_the_newest_update_on) {
    EXPECT_EQ(names(get("model-versions/search")), "cat2 cat1 bee2 bee1 ant2 ant1 ");
    EXPECT_EQ(names(get("model-versions/search?filter=version_number+>+1&order_by=name")), "ant2 bee2 cat2 ");
    EXPECT_EQ(names(get("model-versions/search?filter=tags.`mlflow.prompt.is_prompt`+=+'true'")), "ask1 ");
    send("DELETE", "model-versions/delete", R"({"name": "cat", "version": "2"})");
    EXPECT_EQ(names(get("model-versions/search?filter=name+=+'cat'")), "cat1 ");
}

TEST_F(RegistrySearch, answers_nothing_with_an_empty_object) {
    EXPECT_EQ(get("registered-models/search?filter=name+=+'dog'"), "{}");
    EXPECT_EQ(get("model-versions/search?filter=name+=+'dog'"), "{}");
}

TEST_F(RegistrySearch, goes_on_page_by_page) {
    EXPECT_EQ(names(get("registered-models/search?max_results=2")), "ant bee + eyJvZmZzZXQiOiAyfQ==");
    EXPECT_EQ(names(get("registered-models/search?max_results=2&page_token=eyJvZmZzZXQiOiAyfQ==")), "cat ");
    EXPECT_EQ(names(get("registered-models/search?max_results=3")), "ant bee cat ");
    EXPECT_EQ(names(get("model-versions/search?max_results=1&page_token=eyJvZmZzZXQiOiAyfQ==")),
              "bee2 + eyJvZmZzZXQiOiAzfQ==");
    EXPECT_EQ(names(get("registered-models/search?max_results=0")), "+ eyJvZmZzZXQiOiAwfQ==");
}

TEST_F(RegistrySearch, refuses_what_it_cannot_read) {
    const std::string positive =
        "INVALID_PARAMETER_VALUE: Invalid value for max_results. It must be a positive integer, but got ";
    EXPECT_EQ(get("model-versions/search?max_results=0"), positive + "0");
    EXPECT_EQ(get("model-versions/search?max_results=-5&filter=x"), positive + "-5");
    EXPECT_EQ(get("registered-models/search?max_results=-1"), positive + "-1");
    EXPECT_EQ(get("registered-models/search?filter=name&order_by=foo"),
              "INVALID_PARAMETER_VALUE: Invalid clause(s) in filter string: name");
    EXPECT_EQ(get("registered-models/search?order_by=foo&page_token=x"),
              "INVALID_PARAMETER_VALUE: Invalid order by key 'foo' specified. Valid keys are '{'timestamp', 'name'}'");
    EXPECT_EQ(get("registered-models/search?page_token=x"),
              "INVALID_PARAMETER_VALUE: Invalid page token, could not base64-decode");
    EXPECT_EQ(get("registered-models/search?order_by=name&order_by=name"),
              "INTERNAL_ERROR: `order_by` contains duplicate fields: ['name', 'name']");
}

}  // namespace

}  // namespace registry::testing
