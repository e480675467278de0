#include "auth/access_control.hpp"

#include <gtest/gtest.h>

namespace auth {
namespace {

TEST(AccessControl, lets_pass_what_the_key_has) {
    const Principal principal{"id", "ci", {Scope::mlflow_write}};
    EXPECT_TRUE(check_access(principal, Scope::mlflow_read));
    EXPECT_TRUE(check_access(principal, Scope::mlflow_write));
    EXPECT_TRUE(check_access(anonymous_principal(), Scope::admin));
}

TEST(AccessControl, names_what_is_missing_and_what_the_key_has) {
    const Principal principal{"id", "ci", {Scope::mlflow_read, Scope::model_read}};

    const auto refused = check_access(principal, Scope::mlflow_write);

    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::Code::permission_denied);
    EXPECT_NE(refused.error().message.find("needs the scope mlflow:write"), std::string::npos);
    EXPECT_NE(refused.error().message.find("'ci' has mlflow:read, model:read"), std::string::npos);
}

TEST(AccessControl, challenges_browsers_only) {
    http::Fields browser;
    browser.add("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
    http::Fields script;
    script.add("Accept", "*/*");

    ASSERT_TRUE(challenge(browser));
    EXPECT_TRUE(challenge(browser)->starts_with("Basic realm=\""));
    EXPECT_FALSE(challenge(script));
    EXPECT_FALSE(challenge(http::Fields()));
}

}  // namespace
}  // namespace auth
