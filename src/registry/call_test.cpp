#include "registry/call.hpp"

#include <string>
#include <utility>
#include <vector>

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

namespace registry {

namespace {

using Cases = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kMoreInformation = " See the API docs for more information about request parameters.";

// The arguments as JSON, or the error's text.
std::string shown(const Call& call) {
    const auto arguments = arguments_of(call);
    if (!arguments) {
        EXPECT_EQ(arguments.error().code, base::Code::invalid_argument);
        return arguments.error().message;
    }
    return boost::json::serialize(*arguments);
}

Call make_call(Operation operation, const std::string& method, const std::string& query, const std::string& body) {
    Call call;
    call.operation = operation;
    call.method = method;
    call.query = query;
    call.content_type = "application/json";
    call.body = body;
    return call;
}

std::string shown_body(Operation operation, const std::string& body) {
    return shown(make_call(operation, "POST", "", body));
}

std::string shown_query(Operation operation, const std::string& query) {
    return shown(make_call(operation, "GET", query, ""));
}

std::string missing(const std::string& name) {
    return "Missing value for required parameter '" + name + "'." + std::string(kMoreInformation);
}

std::string invalid(const std::string& value, const std::string& name, const std::string& type) {
    return "Invalid value " + value + " for parameter '" + name + "' supplied:  Hint: Value was of type '" + type +
           "'." + std::string(kMoreInformation);
}

TEST(Arguments, come_from_a_json_body) {
    for (const auto& [body, expected] : Cases{
             {R"({"name": "fox"})", R"({"name":"fox"})"},
             {R"({"name": "fox", "description": "", "unknown": [1]})", R"({"name":"fox","description":""})"},
             {R"({"name": "fox", "description": null, "tags": null})", R"({"name":"fox"})"},
             {R"({"name": "fox", "deploymentJobId": "7"})", R"({"name":"fox","deployment_job_id":"7"})"},
             {R"({"name": "fox", "tags": [{"key": "k", "value": "v", "x": 1}, {"key": "a", "value": null}, {}]})",
              R"({"name":"fox","tags":[{"key":"k","value":"v"},{"key":"a","value":""},{"key":"","value":""}]})"},
             {R"("{\"name\": \"fox\"}")", R"({"name":"fox"})"},
         }) {
        EXPECT_EQ(shown_body(Operation::create_model, body), expected) << body;
    }
}

TEST(Arguments, are_none_without_a_body_or_with_one_that_is_no_json) {
    for (const std::string body : {"", "null", "\"null\"", "{", "{\"name\":\"a\",}", "{}", "{'name': 'a'}"}) {
        EXPECT_EQ(shown_body(Operation::create_model, body), missing("name")) << body;
    }
}

TEST(Arguments, need_an_object) {
    for (const std::string body : {"[1]", "[]", "5", "false", "\"x\"", "\"\\\"x\\\"\"", "\"[]\""}) {
        EXPECT_EQ(shown_body(Operation::create_model, body), "The request body must be a JSON object.") << body;
    }
}

TEST(Arguments, stop_at_the_first_value_of_another_type_and_keep_what_came_before) {
    for (const auto& [body, expected] : Cases{
             {R"({"name": "fox", "tags": [5]})", R"({"name":"fox","tags":[{"key":"","value":""}]})"},
             {R"({"tags": [5], "name": "fox"})", R"({"tags":[{"key":"","value":""}]})"},
             {R"({"name": "fox", "tags": [{"key": "k", "value": 5}, {"key": "l"}]})",
              R"({"name":"fox","tags":[{"key":"k","value":""}]})"},
             {R"({"name": "fox", "deployment_job_id": 5, "description": "d"})", R"({"name":"fox"})"},
         }) {
        EXPECT_EQ(shown_body(Operation::create_model, body), expected) << body;
    }
}

TEST(Arguments, of_another_type_are_refused_by_name) {
    for (const auto& [body, expected] : Cases{
             {R"({"name": 5})", invalid("5", "name", "int")},
             {R"({"name": 5.5})", invalid("5.5", "name", "float")},
             {R"({"name": true})", invalid("true", "name", "bool")},
             {R"({"name": ["a", 1.0, {"b": "é"}]})", invalid(R"(["a",1.0,{"b":"\u00e9"}])", "name", "list")},
             {R"({"name": {"z": 1, "a": 2}})", invalid(R"({"a":2,"z":1})", "name", "dict")},
             {R"({"name": null})", missing("name")},
             {R"({"name": ""})", missing("name")},
             {R"({"Name": "fox"})", missing("name")},
             {R"({"tags": 5})", invalid("null", "name", "NoneType")},
             {R"({"name": "fox", "tags": "x"})", invalid("\"x\"", "tags", "str")},
             {R"({"name": "fox", "tags": {}})", invalid("{}", "tags", "dict")},
             {R"({"description": 5, "name": "fox"})", invalid("5", "description", "int")},
             {R"({"name": "fox", "description": 5, "tags": 5})", invalid("5", "tags", "int")},
         }) {
        EXPECT_EQ(shown_body(Operation::create_model, body), expected) << body;
    }
    EXPECT_EQ(shown_body(Operation::transition_stage,
                         R"({"name": "f", "version": "1", "stage": "s", "archive_existing_versions": "true"})"),
              invalid("\"true\"", "archive_existing_versions", "str"));
    EXPECT_EQ(shown_body(Operation::transition_stage, R"({"name": "f", "version": 1, "stage": "s"})"),
              invalid("1", "version", "int"));
    EXPECT_EQ(shown_body(Operation::get_latest_versions, R"({"name": "f", "stages": "Staging"})"),
              invalid("\"Staging\"", "stages", "str"));
    EXPECT_EQ(shown_body(Operation::get_latest_versions, R"({"name": "f", "stages": ["Staging", null]})"),
              invalid("[\"Staging\",null]", "stages", "list"));
}

TEST(Arguments, in_two_spellings_are_refused) {
    EXPECT_EQ(shown_body(Operation::rename_model, R"({"name": "a", "newName": "b", "new_name": "c"})"),
              "Request specifies both 'new_name' and 'newName'; provide only one of them.");
    EXPECT_EQ(shown_body(Operation::rename_model, R"({"name": "a", "newName": "b"})"), missing("new_name"));
}

TEST(Arguments, come_from_the_query_of_a_get) {
    for (const auto& [query, expected] : Cases{
             {"name=fox", R"({"name":"fox"})"},
             {"&&name=fox&name=owl&x=1", R"({"name":"fox"})"},
             {"name=a+b%20c%C3%BC%26", R"({"name":"a b cü&"})"},
             {"name=t1;x", R"({"name":"t1;x"})"},
             {"name=%ff%zz%", R"({"name":"%FF%zz%"})"},
             {"name=a=b", R"({"name":"a=b"})"},
             {"name", missing("name")},
             {"name=", missing("name")},
             {"x=1", missing("name")},
             {"stages=a&stages=&name=f&stages=b", R"({"name":"f","stages":["a","","b"]})"},
         }) {
        EXPECT_EQ(shown_query(Operation::get_latest_versions, query), expected) << query;
    }
}

TEST(Arguments, come_from_the_body_of_a_get_without_query) {
    EXPECT_EQ(shown(make_call(Operation::get_model, "GET", "&", R"({"name": "fox"})")), R"({"name":"fox"})");
}

TEST(Arguments, that_are_integers_are_read_as_python_reads_them) {
    for (const auto& [text, number] : Cases{{"5", "5"},
                                            {"%2B5", "5"},
                                            {"-5", "-5"},
                                            {"0", "0"},
                                            {"1_0", "10"},
                                            {"%095", "5"},
                                            {"0000000000000000000005", "5"},
                                            {"1000", "1000"}}) {
        EXPECT_EQ(shown_query(Operation::search_models, "max_results=" + text), R"({"max_results":)" + number + "}")
            << text;
    }
    // Protobuf refuses the space, Python's int() does not: the parameter counts as not given.
    EXPECT_EQ(shown_query(Operation::search_models, "max_results=+5"), "{}");
    for (const std::string text : {"", "abc", "true", "1001", "99999999999999999999", "5.0", "1e2"}) {
        EXPECT_EQ(shown_query(Operation::search_models, "max_results=" + text),
                  invalid("\"" + text + "\"", "max_results", "str"));
    }
    EXPECT_EQ(shown_query(Operation::search_versions, "max_results=200000"), R"({"max_results":200000})");
    EXPECT_EQ(shown_query(Operation::search_versions, "max_results=200001"),
              invalid("\"200001\"", "max_results", "str"));
    EXPECT_EQ(shown_body(Operation::search_models, R"({"max_results": 5.0})"), R"({"max_results":5})");
    EXPECT_EQ(shown_body(Operation::search_models, R"({"max_results": 5.5})"), "{}");
    EXPECT_EQ(shown_body(Operation::search_models, R"({"max_results": 1001})"), invalid("1001", "max_results", "int"));
}

TEST(Arguments, of_get_download_uri_are_not_checked) {
    EXPECT_EQ(shown_query(Operation::get_download_uri, "x=1"), "{}");
    EXPECT_EQ(shown_body(Operation::get_download_uri, R"({"name": "fox", "version": 5})"), R"({"name":"fox"})");
}

TEST(Arguments, do_not_take_a_run_uuid_for_the_run) {
    EXPECT_EQ(shown_body(Operation::create_version, R"({"name": "f", "source": "s", "run_uuid": "r"})"),
              R"({"name":"f","source":"s"})");
}

TEST(ContentType, has_to_be_json_for_post_and_put) {
    Call call = make_call(Operation::create_model, "POST", "", R"({"name": "fox"})");
    const std::string expected = "Bad Request. Content-Type must be one of ['application/json'].";
    for (const auto& [type, answer] : Cases{
             {"", "Bad Request. Content-Type header is missing."},
             {"text/plain", expected},
             {"APPLICATION/JSON", expected},
             {"application/json ; charset=utf-8", expected},
             {"application/json; charset=utf-8", R"({"name":"fox"})"},
         }) {
        call.content_type = type;
        call.method = "POST";
        EXPECT_EQ(shown(call), answer) << type;
        call.method = "PUT";
        EXPECT_EQ(shown(call), answer) << type;
        for (const char* method : {"PATCH", "DELETE", "GET"}) {
            call.method = method;
            EXPECT_EQ(shown(call), R"({"name":"fox"})") << type;
        }
    }
}

}  // namespace

}  // namespace registry
