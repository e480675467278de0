#include "auth/credentials.hpp"

#include <vector>

#include "base/strings.hpp"

#include <gtest/gtest.h>

namespace auth {
namespace {

struct Found {
    std::string key;  // empty: none
    std::optional<base::Code> error;
};

Found find(const std::vector<http::Field>& sent) {
    http::Fields fields;
    for (const http::Field& field : sent) {
        fields.add(field.name, field.value);
    }
    std::string storage;
    const auto key = find_key(fields, storage);
    if (!key) {
        EXPECT_FALSE(key.error().message.empty());
        return {{}, key.error().code};
    }
    return {std::string(key->value_or("")), std::nullopt};
}

std::string basic(std::string_view user_and_password) {
    return "Basic " + base::base64_encode(user_and_password);
}

TEST(Credentials, are_absent_when_nothing_carries_a_key) {
    EXPECT_EQ(find({}).key, "");
    EXPECT_EQ(find({{"Host", "x"}, {"Cookie", "api_key=k"}}).key, "");
    EXPECT_EQ(find({{"Authorization", ""}}).key, "");
    EXPECT_EQ(find({{"Authorization", "Bearer"}}).key, "");
    EXPECT_EQ(find({{"Authorization", "Bearer  "}}).key, "");
    EXPECT_EQ(find({{"Authorization", "Bearerk"}}).key, "");
    EXPECT_EQ(find({{"Authorization", "Digest k"}}).key, "");
    EXPECT_EQ(find({{"X-API-Key", " "}}).key, "");
}

TEST(Credentials, are_found_in_every_place_and_any_case) {
    EXPECT_EQ(find({{"Authorization", "Bearer k1"}}).key, "k1");
    EXPECT_EQ(find({{"authorization", "bearer k1"}}).key, "k1");
    EXPECT_EQ(find({{"AUTHORIZATION", "BEARER   k1 "}}).key, "k1");
    EXPECT_EQ(find({{"Authorization", "Bearer\tk1"}}).key, "k1");
    EXPECT_EQ(find({{"Authorization", "ApiKey k1"}}).key, "k1");
    EXPECT_EQ(find({{"Authorization", "apikey k1"}}).key, "k1");
    EXPECT_EQ(find({{"X-API-Key", "k1"}}).key, "k1");
    EXPECT_EQ(find({{"x-api-key", " k1\t"}}).key, "k1");
    EXPECT_EQ(find({{"Authorization", basic("anybody:k1")}}).key, "k1");
    EXPECT_EQ(find({{"Authorization", basic(":k1")}}).key, "k1");
    EXPECT_EQ(find({{"Authorization", basic("user:k1:with:colons")}}).key, "k1:with:colons");
}

TEST(Credentials, an_empty_password_means_the_user_name_only_if_that_looks_like_a_key) {
    const std::string key = "hk_live_" + std::string(40, 'a');
    EXPECT_EQ(find({{"Authorization", basic(key + ":")}}).key, key);
    EXPECT_EQ(find({{"Authorization", basic(key)}}).key, key);
    EXPECT_EQ(find({{"Authorization", basic("admin:")}}).key, "");
    EXPECT_EQ(find({{"Authorization", basic("")}}).key, "");
    EXPECT_EQ(find({{"Authorization", basic(key + ":other")}}).key, "other");
}

TEST(Credentials, an_unreadable_basic_value_is_explained) {
    EXPECT_EQ(find({{"Authorization", "Basic %%%"}}).error, base::Code::unauthenticated);
}

TEST(Credentials, the_same_key_twice_is_fine) {
    EXPECT_EQ(find({{"Authorization", "Bearer k1"}, {"X-API-Key", "k1"}}).key, "k1");
    EXPECT_EQ(find({{"Authorization", basic("u:k1")}, {"X-API-Key", "k1"}}).key, "k1");
    EXPECT_EQ(find({{"Authorization", "Bearer k1"}, {"authorization", "Bearer k1"}}).key, "k1");
    EXPECT_EQ(find({{"X-API-Key", "k1"}, {"X-API-Key", "k1"}}).key, "k1");
}

TEST(Credentials, two_different_keys_are_refused) {
    EXPECT_EQ(find({{"Authorization", "Bearer k1"}, {"X-API-Key", "k2"}}).error, base::Code::invalid_argument);
    EXPECT_EQ(find({{"X-API-Key", "k2"}, {"Authorization", basic("u:k1")}}).error, base::Code::invalid_argument);
    EXPECT_EQ(find({{"Authorization", "Bearer k1"}, {"Authorization", "Bearer k2"}}).error,
              base::Code::invalid_argument);
    EXPECT_EQ(find({{"Authorization", "Bearer k1"}, {"Authorization", "Digest x"}}).error,
              base::Code::invalid_argument);
    EXPECT_EQ(find({{"X-API-Key", "k1"}, {"X-API-Key", "k2"}}).error, base::Code::invalid_argument);
    EXPECT_EQ(find({{"X-API-Key", "k1"}, {"X-API-Key", ""}}).error, base::Code::invalid_argument);
}

TEST(Credentials, a_header_without_a_key_does_not_hide_the_other) {
    EXPECT_EQ(find({{"Authorization", "Bearer "}, {"X-API-Key", "k1"}}).key, "k1");
    EXPECT_EQ(find({{"Authorization", "Digest x"}, {"X-API-Key", "k1"}}).key, "k1");
    EXPECT_EQ(find({{"Authorization", "Bearer k1"}, {"X-API-Key", ""}}).key, "k1");
}

}  // namespace
}  // namespace auth
