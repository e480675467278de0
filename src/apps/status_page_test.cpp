#include "apps/status_page.hpp"

#include <string>
#include <string_view>

#include "apps/build_info.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace apps {
namespace {

http::Response answer_to(std::string_view accept) {
    http::RequestHead request;
    request.fields.add("Accept", accept);
    return root_response(request);
}

bool has_header(const http::Response& response, std::string_view name, std::string_view value) {
    for (const auto& [each, text] : response.headers) {
        if (each == name) {
            return text == value;
        }
    }
    return false;
}

TEST(Root, describes_the_service_to_programs) {
    const http::Response response = answer_to("*/*");

    EXPECT_EQ(response.content_type, "application/json");
    const boost::json::object body = boost::json::parse(response.body).as_object();
    EXPECT_EQ(body.at("service"), "Hokusai Registry");
    EXPECT_EQ(body.at("version"), kVersion);
    EXPECT_EQ(body.at("health_check"), "/health");
    EXPECT_TRUE(has_header(response, "Vary", "Accept"));
}

TEST(Root, is_a_page_for_browsers_that_no_other_page_may_frame) {
    const http::Response response = answer_to("text/html,application/xhtml+xml;q=0.9");

    EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
    EXPECT_TRUE(response.body.starts_with("<!doctype html>"));
    EXPECT_TRUE(has_header(response, "X-Content-Type-Options", "nosniff"));
    EXPECT_TRUE(has_header(response, "X-Frame-Options", "SAMEORIGIN"));
    EXPECT_TRUE(has_header(response, "Vary", "Accept"));
}

TEST(Root, sends_links_of_mlflows_client_on_to_mlflows_pages) {
    EXPECT_NE(answer_to("text/html").body.find(R"(location.replace("/mlflow/" + location.hash))"), std::string::npos);
}

}  // namespace
}  // namespace apps
