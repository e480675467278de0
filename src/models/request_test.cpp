#include "models/request.hpp"

#include <gtest/gtest.h>

namespace {

using models::FieldErrors;
using models::Request;

std::string path_of(std::string_view path) {
    const auto parts = models::split_path(path);
    std::string text;
    for (const std::string& part : parts.value_or(std::vector<std::string>{"none"})) {
        text += "[" + part + "]";
    }
    return text;
}

unsigned body_status(std::string_view body, std::string_view type = "application/json") {
    const auto object = models::read_object({.content_type = std::string(type), .body = std::string(body)});
    return object ? 200 : object.error().status;
}

TEST(ModelsRequest, paths_are_split_before_they_are_decoded) {
    EXPECT_EQ(path_of("/models"), "");
    EXPECT_EQ(path_of("/api/v1/models/"), "");
    EXPECT_EQ(path_of("/models/a%20b/1"), "[a b][1]");
    EXPECT_EQ(path_of("/models/a%2Fb/1"), "[a/b][1]");
    EXPECT_EQ(path_of("/models/models/1"), "[models][1]");
    EXPECT_EQ(path_of("/models/a/"), "[none]");
    EXPECT_EQ(path_of("/models//a"), "[none]");
    EXPECT_EQ(path_of("/models/%00/1"), "[none]");
    EXPECT_EQ(path_of("/models/%ff/1"), "[none]");
    EXPECT_EQ(path_of("/models/%ef%bf%bd/1"), "[\xEF\xBF\xBD][1]");
}

TEST(ModelsRequest, versions_are_spelled_in_one_way) {
    EXPECT_EQ(models::parse_version("1"), 1);
    EXPECT_EQ(models::parse_version("2147483647"), 2147483647);
    for (const char* text : {"", "0", "01", "-1", "+1", " 1", "1.0", "2147483648", "99999999999999999999", "x"}) {
        EXPECT_FALSE(models::parse_version(text)) << text;
    }
}

TEST(ModelsRequest, a_reference_has_one_colon) {
    EXPECT_EQ(models::parse_reference("fox:3")->text(), "fox:3");
    for (const char* text : {"", "fox", ":", "fox:", ":3", "fox:3:4"}) {
        EXPECT_EQ(models::parse_reference(text).error().status, 400U) << text;
    }
    for (const char* text : {"fox:x", "fox:0", "a/b:1", "\xff:1"}) {
        EXPECT_EQ(models::parse_reference(text).error().status, 404U) << text;
    }
}

TEST(ModelsRequest, bodies_are_json_objects_that_can_be_kept) {
    EXPECT_EQ(body_status(R"({"a":{"b":1},"c":{"b":1}})"), 200U);
    EXPECT_EQ(body_status("{}", "application/json; charset=utf-8"), 200U);
    EXPECT_EQ(body_status("{}", "application/merge-patch+json"), 200U);
    EXPECT_EQ(body_status("{}", "text/plain"), 415U);
    EXPECT_EQ(body_status("{}", "multipart/form-data"), 415U);
    for (const char* body : {"",
                             "1",
                             "[]",
                             "{",
                             "{} x",
                             R"({"a":1,"a":2})",
                             R"({"x":[{"b":{"a":1,"a":1}}]})",
                             R"({"a":1,"\u0061":2})",
                             R"({"a":1e999})",
                             R"({"a":NaN})",
                             "{\"a\":\"\xff\"}",
                             R"({"a":"\ud800"})"}) {
        EXPECT_EQ(body_status(body), 422U) << body;
    }
}

TEST(ModelsRequest, query_parameters_come_once) {
    FieldErrors errors;
    const Request request{.query = "a=1&b=x+y%21&c&d=%ff&a2=&e=1&e=1"};
    EXPECT_EQ(models::query_parameter(request, "a", errors), "1");
    EXPECT_EQ(models::query_parameter(request, "b", errors), "x y!");
    EXPECT_EQ(models::query_parameter(request, "c", errors), "");
    EXPECT_EQ(models::query_parameter(request, "a2", errors), "");
    EXPECT_FALSE(models::query_parameter(request, "z", errors));
    EXPECT_TRUE(errors.is_empty());
    EXPECT_FALSE(models::query_parameter(request, "d", errors));
    EXPECT_FALSE(models::query_parameter(request, "e", errors));
    EXPECT_NE(errors.response().body.find(R"("loc":["query","e"])"), std::string::npos);
}

}  // namespace
