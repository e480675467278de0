#include "auth/scopes.hpp"

#include <array>

#include <gtest/gtest.h>

namespace auth {
namespace {

constexpr std::array kAllScopes{
    Scope::mlflow_read, Scope::mlflow_write, Scope::model_read, Scope::model_write, Scope::admin};

base::Result<Scopes> parse(std::vector<std::string_view> names) {
    return parse_scopes(names);
}

TEST(Scopes, none_allows_nothing) {
    for (const Scope scope : kAllScopes) {
        EXPECT_FALSE(Scopes().allows(scope)) << to_string(scope);
    }
}

TEST(Scopes, admin_allows_everything) {
    for (const Scope scope : kAllScopes) {
        EXPECT_TRUE(Scopes{Scope::admin}.allows(scope)) << to_string(scope);
    }
}

TEST(Scopes, write_implies_read_of_the_same_api_only) {
    constexpr Scopes kMlflow{Scope::mlflow_write};
    EXPECT_TRUE(kMlflow.allows(Scope::mlflow_write));
    EXPECT_TRUE(kMlflow.allows(Scope::mlflow_read));
    EXPECT_FALSE(kMlflow.allows(Scope::model_read));
    EXPECT_FALSE(kMlflow.allows(Scope::model_write));
    EXPECT_FALSE(kMlflow.allows(Scope::admin));

    constexpr Scopes kModel{Scope::model_write};
    EXPECT_TRUE(kModel.allows(Scope::model_read));
    EXPECT_FALSE(kModel.allows(Scope::mlflow_read));
    EXPECT_FALSE(kModel.allows(Scope::admin));
}

TEST(Scopes, read_never_allows_write) {
    constexpr Scopes kReads{Scope::mlflow_read, Scope::model_read};
    EXPECT_FALSE(kReads.allows(Scope::mlflow_write));
    EXPECT_FALSE(kReads.allows(Scope::model_write));
    EXPECT_FALSE(kReads.allows(Scope::admin));
}

TEST(Scopes, names_are_read_back_as_granted) {
    for (const Scope scope : kAllScopes) {
        EXPECT_EQ(parse_scope(to_string(scope)), Scopes{scope});
        EXPECT_EQ(Scopes{scope}.names(), std::vector{to_string(scope)});
    }
    EXPECT_EQ(to_string(parse({"model:write", "mlflow:read", "model:write"}).value()), "mlflow:read, model:write");
}

TEST(Scopes, synonyms_of_the_service_before) {
    EXPECT_EQ(parse({"mlflow:access"}), (Scopes{Scope::mlflow_write}));
    EXPECT_EQ(parse({"read"}), (Scopes{Scope::mlflow_read, Scope::model_read}));
    EXPECT_EQ(parse({"write"}), (Scopes{Scope::mlflow_write, Scope::model_write}));
    EXPECT_EQ(parse({"full_access"}), (Scopes{Scope::mlflow_write, Scope::model_write}));
    EXPECT_FALSE(parse({"full_access"}).value().allows(Scope::admin));
}

TEST(Scopes, an_unknown_name_is_refused_with_those_allowed) {
    const auto refused = parse({"mlflow:read", "mlflow:wirte"});

    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::Code::invalid_argument);
    EXPECT_EQ(
        refused.error().message,
        "unknown scope 'mlflow:wirte', did you mean mlflow:write? Allowed: mlflow:read, mlflow:write, model:read, "
        "model:write, admin");
    EXPECT_FALSE(parse({"ADMIN"}));
    EXPECT_FALSE(parse({""}));
}

TEST(Scopes, an_empty_list_is_refused) {
    EXPECT_EQ(parse({}).error().code, base::Code::invalid_argument);
    EXPECT_NE(parse({}).error().message.find("at least one scope"), std::string::npos);
}

}  // namespace
}  // namespace auth
