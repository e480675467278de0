#include "registry_client/http_api.hpp"

#include <string_view>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace registry_client {
namespace {

constexpr const char* kUrl = "http://mlflow:5000";

mlflow::UpstreamAnswer answer_of(unsigned status, std::string body) {
    return {.status = status, .asks_for_time = false, .is_whole = true, .body = std::move(body)};
}

base::Error error_of(unsigned status, std::string body) {
    return judge(answer_of(status, std::move(body)), kUrl).error();
}

std::string mlflow_error(std::string_view code) {
    return R"({"error_code":")" + std::string(code) + R"(","message":"so it is"})";
}

TEST(HttpApi, answers_the_object_of_a_200) {
    EXPECT_EQ(judge(answer_of(200, R"({"a":1})"), kUrl).value(), (boost::json::object{{"a", 1}}));
    EXPECT_EQ(error_of(200, "OK").code, base::Code::data_loss);
    EXPECT_EQ(error_of(200, "[]").code, base::Code::data_loss);
    auto cut = answer_of(200, "{}");
    cut.is_whole = false;
    EXPECT_EQ(judge(cut, kUrl).error().code, base::Code::data_loss);
}

struct ErrorRow {
    unsigned status;
    std::string body;
    base::Code code;
    std::string_view message;
};

TEST(HttpApi, tells_what_is_wrong_with_the_call_from_trouble_with_the_server) {
    using base::Code;
    for (const auto& [status, body, code, message] : {
             ErrorRow{400,
                      mlflow_error("INVALID_PARAMETER_VALUE"),
                      Code::invalid_argument,
                      "http://mlflow:5000 answered 400 INVALID_PARAMETER_VALUE: so it is"},
             ErrorRow{400, mlflow_error("RESOURCE_ALREADY_EXISTS"), Code::already_exists, "400 RESOURCE_ALREADY"},
             ErrorRow{404, mlflow_error("RESOURCE_DOES_NOT_EXIST"), Code::missing_resource, "so it is"},
             ErrorRow{404, mlflow_error("ENDPOINT_NOT_FOUND"), Code::not_found, "so it is"},
             ErrorRow{404, "<html>", Code::not_found, "http://mlflow:5000 answered 404"},
             ErrorRow{409, mlflow_error("RESOURCE_CONFLICT"), Code::conflict, "so it is"},
             ErrorRow{400, "<html>", Code::unavailable, "answered 400"},
             ErrorRow{401, "", Code::unauthenticated, "--token-file"},
             ErrorRow{403, mlflow_error("PERMISSION_DENIED"), Code::permission_denied, "HOKUSAI_MLFLOW_TOKEN"},
             ErrorRow{403, "Invalid Host header", Code::permission_denied, "MLFLOW_SERVER_ALLOWED_HOSTS"},
             ErrorRow{429, mlflow_error("REQUEST_LIMIT_EXCEEDED"), Code::unavailable, "so it is"},
             ErrorRow{500, "<html>", Code::unavailable, "answered 500"},
             ErrorRow{501, mlflow_error("NOT_IMPLEMENTED"), Code::unavailable, "so it is"},
             ErrorRow{503, mlflow_error("TEMPORARILY_UNAVAILABLE"), Code::unavailable, "so it is"},
             ErrorRow{504, mlflow_error("DEADLINE_EXCEEDED"), Code::deadline_exceeded, "so it is"},
             ErrorRow{302, "", Code::unavailable, "answered 302"},
         }) {
        const base::Error error = error_of(status, body);
        EXPECT_EQ(error.code, code) << status << ' ' << body;
        EXPECT_NE(error.message.find(message), std::string::npos) << error.message;
    }
}

TEST(HttpApi, puts_arguments_into_a_query) {
    EXPECT_EQ(to_query({}), "");
    EXPECT_EQ(to_query({{"name", "a b&c=d"}, {"max_results", 10}, {"order_by", {"name ASC", "x"}}}),
              "name=a%20b%26c%3Dd&max_results=10&order_by=name%20ASC&order_by=x");
}

}  // namespace
}  // namespace registry_client
