#include "http/message.hpp"

#include <gtest/gtest.h>

namespace http {
namespace {

TEST(Fields, finds_the_first_of_a_name_in_any_case) {
    Fields fields;
    fields.add("Accept", "a");
    fields.add("X-Other", "o");
    fields.add("accept", "b");

    EXPECT_EQ(fields.find("ACCEPT"), "a");
    EXPECT_EQ(fields.find("Accep"), std::nullopt);
    EXPECT_EQ(fields.count(FieldName::accept), 2U);
    EXPECT_EQ(fields.count(FieldName::host), 0U);
    EXPECT_EQ(fields.size(), 3U);
    fields.clear();
    EXPECT_EQ(fields.find("accept"), std::nullopt);
}

TEST(Fields, looks_for_tokens_in_every_list_of_a_name) {
    Fields fields;
    fields.add("Accept", "text/html;q=0.9, Application/JSON ; q=1");
    fields.add("accept", "image/png");

    EXPECT_TRUE(fields.lists(FieldName::accept, "text/html"));
    EXPECT_TRUE(fields.lists(FieldName::accept, "application/json"));
    EXPECT_TRUE(fields.lists(FieldName::accept, "image/png"));
    EXPECT_FALSE(fields.lists(FieldName::accept, "text"));
    EXPECT_FALSE(fields.lists(FieldName::accept, "q=0.9"));
    EXPECT_FALSE(fields.lists(FieldName::accept, ""));
    EXPECT_FALSE(fields.lists(FieldName::host, "text/html"));
}

TEST(Methods, are_case_sensitive) {
    EXPECT_EQ(to_method("DELETE"), Method::delete_);
    EXPECT_EQ(to_method("get"), Method::other);
    EXPECT_EQ(to_method(""), Method::other);
    EXPECT_EQ(to_method("BREW"), Method::other);
}

TEST(Responses, have_the_form_their_clients_read) {
    EXPECT_EQ(detail_response(404, "no \"x\"").body, R"({"detail":"no \"x\""})");
    EXPECT_EQ(mlflow_error_response(400, "BAD", "why").body, R"({"error_code":"BAD","message":"why"})");
    const Response problem = problem_response(409, "why");
    EXPECT_EQ(problem.status, 409U);
    EXPECT_EQ(problem.content_type, "application/problem+json");
    EXPECT_EQ(problem.body, R"({"title":"Conflict","status":409,"detail":"why"})");
    EXPECT_EQ(reason_phrase(418), "");
}

}  // namespace
}  // namespace http
