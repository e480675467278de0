#include "registry_http/alias_lookup.hpp"

#include <string>

#include "base/testing/manual_clock.hpp"
#include "registry/indexed_store.hpp"
#include "registry/json.hpp"
#include "registry/registry.hpp"
#include "registry/testing/memory_store.hpp"

#include <gtest/gtest.h>

namespace registry_http {
namespace {

using registry::Operation;

constexpr const char* kPath = "/api/2.0/mlflow/registered-models/alias";

http::RequestHead request(std::string_view method = "GET") {
    http::RequestHead head;
    head.method = http::to_method(method);
    head.method_text = method;
    return head;
}

// A registry with a model "fraud model" whose version 1 is its "champion".
class AliasLookupTest : public ::testing::Test {
protected:
    AliasLookupTest() {
        change(Operation::create_model, "POST", R"({"name":"fraud model"})");
        change(Operation::create_version, "POST", R"({"name":"fraud model","source":"s3://bucket/model"})");
        change(Operation::set_alias, "POST", R"({"name":"fraud model","alias":"champion","version":"1"})");
    }

    void change(Operation operation, const std::string& method, const std::string& body) {
        const auto answer = registry_.answer({.operation = operation,
                                              .method = method,
                                              .workspace = "",
                                              .query = "",
                                              .content_type = "application/json",
                                              .body = body,
                                              .user = ""});
        ASSERT_TRUE(answer) << answer.error().message;
    }

    std::string ask_registry(const std::string& query) {
        const auto answer = registry_.answer({.operation = Operation::get_version_by_alias,
                                              .method = "GET",
                                              .workspace = "",
                                              .query = query,
                                              .content_type = "",
                                              .body = "",
                                              .user = ""});
        return answer ? registry::serialize(*answer) : answer.error().message;
    }

    std::string find(const std::string& query, const http::RequestHead& head = request()) {
        const auto found = find_alias_answer(aliases_, head, kPath + ("?" + query));
        return found ? *found : "asks the registry";
    }

    registry::testing::MemoryStore rows_;
    registry::AliasIndex aliases_;
    registry::IndexedStore store_{rows_, aliases_};
    base::testing::ManualClock clock_;
    registry::Registry registry_{store_, clock_};
};

TEST_F(AliasLookupTest, answers_what_the_registry_would) {
    const std::string expected = ask_registry("name=fraud+model&alias=champion");
    ASSERT_TRUE(expected.starts_with("{\n  \"model_version\": {")) << expected;

    EXPECT_EQ(find("name=fraud+model&alias=champion"), expected);
    EXPECT_EQ(find("alias=champion&name=fraud%20model"), expected);
    EXPECT_EQ(find("name=fraud%20model&alias=%63hampion"), expected);
}

TEST_F(AliasLookupTest, leaves_to_the_registry_what_it_does_not_know) {
    for (const char* query : {"name=fraud+model&alias=latest",
                              "name=fraud+model&alias=challenger",
                              "name=other&alias=champion",
                              "name=fraud%2Bmodel&alias=champion",
                              "name=fraud+model",
                              "alias=champion",
                              "",
                              "name&alias=champion"}) {
        EXPECT_EQ(find(query), "asks the registry") << query;
    }
    EXPECT_EQ(find_alias_answer(aliases_, request(), kPath), nullptr);
}

TEST_F(AliasLookupTest, leaves_to_the_registry_every_unusual_way_to_ask) {
    const std::string plain = "name=fraud+model&alias=champion";
    for (const char* more : {"&alias=challenger", "&name=fraud+model", "&version=1", "&stages"}) {
        EXPECT_EQ(find(plain + more), "asks the registry") << more;
    }
    EXPECT_EQ(find(plain, request("POST")), "asks the registry");
    EXPECT_EQ(find(plain, request("DELETE")), "asks the registry");
    http::RequestHead with_body = request();
    with_body.framing = {http::Framing::Kind::length, 2};
    EXPECT_EQ(find(plain, with_body), "asks the registry");
}

TEST_F(AliasLookupTest, looks_into_the_workspace_the_request_names) {
    http::RequestHead elsewhere = request();
    elsewhere.fields.add("X-MLflow-Workspace", "team");

    EXPECT_EQ(find("name=fraud+model&alias=champion", elsewhere), "asks the registry");
}

TEST_F(AliasLookupTest, follows_every_change) {
    change(Operation::create_version, "POST", R"({"name":"fraud model","source":"s3://bucket/model"})");
    change(Operation::set_alias, "POST", R"({"name":"fraud model","alias":"champion","version":"2"})");
    EXPECT_NE(find("name=fraud+model&alias=champion").find("\"version\": \"2\""), std::string::npos);

    change(Operation::delete_alias, "DELETE", R"({"name":"fraud model","alias":"champion"})");
    EXPECT_EQ(find("name=fraud+model&alias=champion"), "asks the registry");
}

}  // namespace
}  // namespace registry_http
