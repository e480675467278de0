#include "auth/api_key.hpp"

#include <map>
#include <set>

#include "auth/secret_bytes.hpp"

#include <gtest/gtest.h>

namespace auth {
namespace {

TEST(ApiKey, has_the_prefix_of_its_environment_and_40_characters) {
    EXPECT_TRUE(generate_key(Environment::production).reveal().starts_with("hk_live_"));
    EXPECT_TRUE(generate_key(Environment::test).reveal().starts_with("hk_test_"));
    EXPECT_TRUE(generate_key(Environment::development).reveal().starts_with("hk_dev_"));
    EXPECT_EQ(generate_key(Environment::production).reveal().size(), 48U);
    EXPECT_TRUE(looks_like_key(generate_key(Environment::development).reveal()));
}

TEST(ApiKey, is_different_each_time) {
    std::set<std::string> keys;
    for (int i = 0; i < 1000; ++i) {
        keys.insert(generate_key(Environment::production).reveal());
    }
    EXPECT_EQ(keys.size(), 1000U);
}

TEST(ApiKey, uses_all_62_characters_alike) {
    std::map<char, int> counts;
    constexpr int kKeys = 6200;  // 4000 of each character expected, standard deviation 63
    for (int i = 0; i < kKeys; ++i) {
        for (const char c : generate_key(Environment::production).reveal().substr(8)) {
            ++counts[c];
        }
    }
    EXPECT_EQ(counts.size(), 62U);
    for (const auto& [character, count] : counts) {
        EXPECT_NEAR(count, 4000, 500) << character;
    }
}

TEST(ApiKey, format_is_checked_whole) {
    const std::string secret(40, 'a');
    EXPECT_TRUE(looks_like_key("hk_live_" + secret));
    EXPECT_TRUE(looks_like_key("hk_test_" + secret));
    EXPECT_TRUE(looks_like_key("hk_dev_" + secret));
    EXPECT_FALSE(looks_like_key(""));
    EXPECT_FALSE(looks_like_key("hk_live_"));
    EXPECT_FALSE(looks_like_key("hk_live_" + secret + "a"));
    EXPECT_FALSE(looks_like_key("hk_live_" + secret.substr(1)));
    EXPECT_FALSE(looks_like_key("hk_prod_" + secret));
    EXPECT_FALSE(looks_like_key("HK_LIVE_" + secret));
    EXPECT_FALSE(looks_like_key("hk_live_" + secret.substr(1) + "-"));
    EXPECT_FALSE(looks_like_key("hk_live_" + secret.substr(2) + "\xC3\xA4"));
}

TEST(ApiKey, shows_the_prefix_and_three_characters) {
    EXPECT_EQ(display_prefix("hk_live_abc" + std::string(37, 'z')), "hk_live_abc");
    EXPECT_EQ(display_prefix("hk_dev_Xy9" + std::string(37, 'z')), "hk_dev_Xy9");
}

TEST(ApiKey, environments_have_two_names) {
    EXPECT_EQ(parse_environment("production"), Environment::production);
    EXPECT_EQ(parse_environment("live"), Environment::production);
    EXPECT_EQ(parse_environment("test"), Environment::test);
    EXPECT_EQ(parse_environment("development"), Environment::development);
    EXPECT_EQ(parse_environment("dev"), Environment::development);
    EXPECT_EQ(parse_environment("staging"), std::nullopt);
}

TEST(SecretBytes, fills_more_than_one_system_call_gives) {
    std::array<unsigned char, 1000> bytes{};
    fill_secret_bytes(bytes);
    EXPECT_GT(std::set<unsigned char>(bytes.begin(), bytes.begin() + 250).size(), 50U);
    EXPECT_GT(std::set<unsigned char>(bytes.end() - 250, bytes.end()).size(), 50U);
}

TEST(SecretBytes, uuid_is_version_4) {
    const std::string uuid = random_uuid();
    ASSERT_EQ(uuid.size(), 36U);
    EXPECT_EQ(uuid[8], '-');
    EXPECT_EQ(uuid[13], '-');
    EXPECT_EQ(uuid[14], '4');
    EXPECT_EQ(uuid[18], '-');
    EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos);
    EXPECT_EQ(uuid[23], '-');
    EXPECT_NE(uuid, random_uuid());
}

}  // namespace
}  // namespace auth
