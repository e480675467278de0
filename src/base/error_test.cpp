#include "base/error.hpp"

#include <map>
#include <set>
#include <string>

#include "base/ensure.hpp"

#include <gtest/gtest.h>

namespace base {
namespace {

struct ErrorCodeRow {
    Code code;
    std::string_view name;
    int http_status;
    std::string_view mlflow;
};

constexpr ErrorCodeRow kErrorCodeRows[]{
    {Code::invalid_argument, "invalid_argument", 400, "INVALID_PARAMETER_VALUE"},
    {Code::unauthenticated, "unauthenticated", 401, "UNAUTHENTICATED"},
    {Code::permission_denied, "permission_denied", 403, "PERMISSION_DENIED"},
    {Code::not_found, "not_found", 404, "ENDPOINT_NOT_FOUND"},
    {Code::missing_resource, "missing_resource", 404, "RESOURCE_DOES_NOT_EXIST"},
    {Code::already_exists, "already_exists", 400, "RESOURCE_ALREADY_EXISTS"},
    {Code::conflict, "conflict", 409, "RESOURCE_CONFLICT"},
    {Code::exhausted, "exhausted", 429, "RESOURCE_EXHAUSTED"},
    {Code::cancelled, "cancelled", 499, "CANCELLED"},
    {Code::unsupported, "unsupported", 501, "NOT_IMPLEMENTED"},
    {Code::unavailable, "unavailable", 503, "TEMPORARILY_UNAVAILABLE"},
    {Code::deadline_exceeded, "deadline_exceeded", 504, "DEADLINE_EXCEEDED"},
    {Code::data_loss, "data_loss", 500, "DATA_LOSS"},
    {Code::internal, "internal", 500, "INTERNAL_ERROR"},
};

TEST(ErrorTable, gives_each_code_its_name_status_and_mlflow_code) {
    std::set<std::string_view> names;
    for (const auto& [code, name, status, mlflow] : kErrorCodeRows) {
        EXPECT_EQ(to_string(code), name);
        EXPECT_EQ(http_status(code), status) << name;
        EXPECT_EQ(mlflow_error_code(code), mlflow) << name;
        names.insert(name);
    }
    EXPECT_EQ(names.size(), std::size(kErrorCodeRows));
    EXPECT_EQ(names.size(), static_cast<std::size_t>(Code::internal) + 1) << "a code is missing from this test";
}

// MLflow's client derives the status from the code it reads, so ours must agree with its table
// (mlflow/exceptions.py, ERROR_CODE_TO_HTTP_STATUS).
TEST(ErrorTable, agrees_with_the_statuses_mlflow_gives_its_own_codes) {
    const std::map<std::string_view, int> statuses_of_mlflow{{"INTERNAL_ERROR", 500},
                                                             {"INVALID_STATE", 500},
                                                             {"DATA_LOSS", 500},
                                                             {"NOT_IMPLEMENTED", 501},
                                                             {"TEMPORARILY_UNAVAILABLE", 503},
                                                             {"DEADLINE_EXCEEDED", 504},
                                                             {"REQUEST_LIMIT_EXCEEDED", 429},
                                                             {"RESOURCE_EXHAUSTED", 429},
                                                             {"CANCELLED", 499},
                                                             {"ABORTED", 409},
                                                             {"RESOURCE_CONFLICT", 409},
                                                             {"ALREADY_EXISTS", 409},
                                                             {"NOT_FOUND", 404},
                                                             {"ENDPOINT_NOT_FOUND", 404},
                                                             {"RESOURCE_DOES_NOT_EXIST", 404},
                                                             {"PERMISSION_DENIED", 403},
                                                             {"CUSTOMER_UNAUTHORIZED", 401},
                                                             {"UNAUTHENTICATED", 401},
                                                             {"BAD_REQUEST", 400},
                                                             {"RESOURCE_ALREADY_EXISTS", 400},
                                                             {"INVALID_PARAMETER_VALUE", 400}};
    for (const ErrorCodeRow& row : kErrorCodeRows) {
        const auto found = statuses_of_mlflow.find(mlflow_error_code(row.code));
        ASSERT_NE(found, statuses_of_mlflow.end()) << row.name;
        EXPECT_EQ(http_status(row.code), found->second) << row.name;
    }
}

TEST(Error, gets_what_was_attempted_in_front_and_keeps_its_code) {
    const Error error{Code::data_loss, "permission denied"};
    const Error told = error.context("reading pepper").context("starting");

    EXPECT_EQ(told.code, Code::data_loss);
    EXPECT_EQ(told.message, "starting: reading pepper: permission denied");
    EXPECT_EQ(error.message, "permission denied");
}

TEST(Error, travels_as_the_other_half_of_a_result) {
    const Result<int> result = fail(Code::conflict, "taken");

    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, Code::conflict);
    EXPECT_EQ(result.error().message, "taken");
}

void require_positive(int number) {
    ENSURE(number > 0, "counts start at one");
}

TEST(EnsureDeathTest, aborts_with_the_condition_and_the_reason) {
    require_positive(1);
    EXPECT_DEATH(require_positive(0), "broken invariant at .*error_test.cpp:.*number > 0 \\(counts start at one\\)");
}

}  // namespace
}  // namespace base
