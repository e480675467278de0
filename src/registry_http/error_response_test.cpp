#include "registry_http/error_response.hpp"

#include <gtest/gtest.h>

namespace registry_http {
namespace {

TEST(ErrorResponse, has_mlflows_status_code_and_members) {
    const http::Response missing =
        to_response({base::Code::missing_resource, "Registered Model with name=m\u00e9 not found"});

    EXPECT_EQ(missing.status, 404U);
    EXPECT_EQ(missing.content_type, "application/json");
    EXPECT_EQ(missing.body,
              R"({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Registered Model with name=m\u00e9 not found", )"
              R"("sqlstate": "KAM00", "error_class": "RESOURCE_NOT_FOUND"})");
    EXPECT_TRUE(missing.headers.empty());
}

TEST(ErrorResponse, classifies_as_mlflow_does_each_code_the_registry_fails_with) {
    const auto body_of = [](base::Code code) { return to_response({code, ""}).body; };

    EXPECT_NE(
        body_of(base::Code::invalid_argument)
            .find(R"("INVALID_PARAMETER_VALUE", "message": "", "sqlstate": "KAM00", "error_class": "INVALID_PARA)"),
        std::string::npos);
    EXPECT_NE(
        body_of(base::Code::already_exists)
            .find(R"("RESOURCE_ALREADY_EXISTS", "message": "", "sqlstate": "KAM00", "error_class": "RESOURCE_ALR)"),
        std::string::npos);
    EXPECT_NE(
        body_of(base::Code::internal)
            .find(R"("INTERNAL_ERROR", "message": "", "sqlstate": "XXM00", "error_class": "CLIENT_INTERNAL_ERROR")"),
        std::string::npos);
    EXPECT_EQ(body_of(base::Code::unsupported), R"({"error_code": "NOT_IMPLEMENTED", "message": ""})");
}

TEST(ErrorResponse, says_when_to_come_back_to_what_is_unavailable) {
    const http::Response response = to_response({base::Code::unavailable, "the disk is full"});

    EXPECT_EQ(response.status, 503U);
    ASSERT_EQ(response.headers.size(), 1U);
    EXPECT_EQ(response.headers[0].first, "Retry-After");
    EXPECT_EQ(response.headers[0].second, "15");
}

TEST(ErrorResponse, refuses_workspaces_as_mlflow_does_without_them) {
    const http::Response response = workspaces_are_off();

    EXPECT_EQ(response.status, 500U);
    EXPECT_NE(response.body.find(R"("error_code": "FEATURE_DISABLED", "message": "Workspace APIs are not available: )"),
              std::string::npos);
}

}  // namespace
}  // namespace registry_http
