#include "http/origin.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace http {
namespace {

const std::vector<std::string> kListed{"https://ui.example", "http://localhost:3000"};

TEST(JudgeOrigin, knows_pages_of_our_own_host) {
    EXPECT_EQ(judge_origin("http://registry.example:8000", "registry.example:8000", {}), OriginVerdict::same);
    EXPECT_EQ(judge_origin("https://Registry.Example", "registry.example", {}), OriginVerdict::same);
    EXPECT_EQ(judge_origin("http://registry.example", "registry.example:8000", {}), OriginVerdict::foreign);
    EXPECT_EQ(judge_origin("http://registry.example.evil", "registry.example", {}), OriginVerdict::foreign);
    EXPECT_EQ(judge_origin("http://evil-registry.example", "registry.example", {}), OriginVerdict::foreign);
}

TEST(JudgeOrigin, knows_the_listed_ones_exactly) {
    EXPECT_EQ(judge_origin("https://ui.example", "a", kListed), OriginVerdict::listed);
    EXPECT_EQ(judge_origin("HTTPS://UI.example", "a", kListed), OriginVerdict::listed);
    EXPECT_EQ(judge_origin("http://localhost:3000", "a", kListed), OriginVerdict::listed);
    EXPECT_EQ(judge_origin("http://ui.example", "a", kListed), OriginVerdict::foreign);
    EXPECT_EQ(judge_origin("https://ui.example:8443", "a", kListed), OriginVerdict::foreign);
    EXPECT_EQ(judge_origin("https://ui.example.evil", "a", kListed), OriginVerdict::foreign);
    EXPECT_EQ(judge_origin("http://localhost", "a", kListed), OriginVerdict::foreign);
}

TEST(JudgeOrigin, a_star_lists_everybody_but_pages_without_an_origin) {
    EXPECT_EQ(judge_origin("https://anybody.example", "a", {"*"}), OriginVerdict::listed);
    EXPECT_EQ(judge_origin("null", "a", {"*"}), OriginVerdict::foreign);
    EXPECT_EQ(judge_origin("", "a", {"*"}), OriginVerdict::foreign);
    EXPECT_EQ(judge_origin("a", "a", {"a"}), OriginVerdict::foreign) << "no scheme, no origin";
}

std::string field_of(const Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
        if (key == name) {
            return value;
        }
    }
    return "-";
}

TEST(Preflight, names_the_origin_and_what_it_may_do) {
    const Response response = preflight_response("https://ui.example", OriginVerdict::listed);

    EXPECT_EQ(response.status, 204U);
    EXPECT_EQ(response.body, "");
    EXPECT_EQ(response.content_type, "");
    EXPECT_EQ(field_of(response, "Access-Control-Allow-Origin"), "https://ui.example");
    EXPECT_EQ(field_of(response, "Access-Control-Allow-Credentials"), "true");
    EXPECT_EQ(field_of(response, "Vary"), "Origin");
    for (const char* method : {"DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"}) {
        EXPECT_NE(field_of(response, "Access-Control-Allow-Methods").find(method), std::string::npos) << method;
    }
    // With credentials "*" means the field of that name (Fetch standard, section 3.2.3), so the ones in use must be
    // spelled out.
    EXPECT_NE(field_of(response, "Access-Control-Allow-Headers").find("Authorization"), std::string::npos);
    EXPECT_NE(field_of(response, "Access-Control-Allow-Headers").find("X-API-Key"), std::string::npos);
}

TEST(Preflight, refuses_a_foreign_origin_and_says_what_to_change) {
    const Response response = preflight_response("https://evil.example", OriginVerdict::foreign);

    EXPECT_EQ(response.status, 403U);
    EXPECT_EQ(response.body, R"({"detail":"origin https://evil.example is not allowed; add it to CORS_ORIGINS"})");
    EXPECT_EQ(field_of(response, "Access-Control-Allow-Origin"), "-");
}

}  // namespace
}  // namespace http
