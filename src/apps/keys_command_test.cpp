#include "apps/keys_command.hpp"

#include <chrono>
#include <sstream>

#include "auth/api_key.hpp"
#include "auth/testing/fake_key_store.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace apps {
namespace {

using namespace std::chrono_literals;

const base::WallTime kNow{std::chrono::seconds(1'755'172'800)};  // 2025-08-14T12:00:00Z

struct KeysCommand : public ::testing::Test {
    int create(const KeysCreateRequest& request) {
        out.str("");
        return keys_create(store, hasher, request, kNow, console);
    }

    std::string list(base::WallTime now = kNow) {
        out.str("");
        EXPECT_EQ(keys_list(store, false, now, console), 0);
        return out.str();
    }

    boost::json::value printed() {
        return boost::json::parse(out.str());
    }

    auth::KeyRecord stored(std::size_t index = 0) {
        return store.load_all().value().at(index);
    }

    auth::testing::FakeKeyStore store;
    auth::KeyHasher hasher{{.version = 1, .bytes = {5}}};
    std::ostringstream out;
    std::ostringstream errors;
    Console console{out, errors};
};

TEST_F(KeysCommand, create_prints_the_documented_json_and_nothing_else) {
    ASSERT_EQ(create({.name = "ci", .scopes = "mlflow:write, model:read", .expires = "90d", .json = true}), 0);

    const boost::json::object object = printed().as_object();
    EXPECT_EQ(object.size(), 5U);
    EXPECT_EQ(object.at("id").as_string(), stored().id.c_str());
    EXPECT_EQ(object.at("name").as_string(), "ci");
    EXPECT_EQ(object.at("scopes"), (boost::json::array{"mlflow:write", "model:read"}));
    EXPECT_EQ(object.at("expires_at").as_string(), "2025-11-12T12:00:00.000000Z");
    const std::string key(object.at("key").as_string());
    EXPECT_TRUE(auth::looks_like_key(key));
    EXPECT_EQ(stored().hash, hasher.hash(key));
    EXPECT_EQ(errors.str(), "");
}

TEST_F(KeysCommand, create_without_expiry_prints_null) {
    ASSERT_EQ(create({.name = "ci", .scopes = "admin", .environment = "test", .json = true}), 0);

    EXPECT_TRUE(printed().at("expires_at").is_null());
    EXPECT_TRUE(printed().at("key").as_string().starts_with("hk_test_"));
}

TEST_F(KeysCommand, create_prints_the_key_once_for_people) {
    ASSERT_EQ(create({.name = "ci", .scopes = "mlflow:read", .expires = "2026-01-01"}), 0);

    const std::string text = out.str();
    const std::string key = text.substr(0, text.find('\n'));
    EXPECT_TRUE(auth::looks_like_key(key));
    EXPECT_EQ(text.find(key, 1), std::string::npos);
    EXPECT_NE(text.find("will not be shown again"), std::string::npos);
    EXPECT_NE(text.find("2026-01-01T00:00:00.000000Z"), std::string::npos);
}

TEST_F(KeysCommand, create_refuses_wrong_arguments_with_exit_2_and_stores_nothing) {
    EXPECT_EQ(create({.name = "ci", .scopes = ""}), 2);
    EXPECT_EQ(create({.name = "ci", .scopes = " , "}), 2);
    EXPECT_EQ(create({.name = "ci", .scopes = "mlflow:all"}), 2);
    EXPECT_EQ(create({.name = "  ", .scopes = "admin"}), 2);
    EXPECT_EQ(create({.name = std::string(101, 'x'), .scopes = "admin"}), 2);
    EXPECT_EQ(create({.name = "ci", .scopes = "admin", .expires = "soon"}), 2);
    EXPECT_EQ(create({.name = "ci", .scopes = "admin", .expires = "0d"}), 2);
    EXPECT_EQ(create({.name = "ci", .scopes = "admin", .environment = "staging"}), 2);

    EXPECT_TRUE(store.load_all().value().empty());
    EXPECT_EQ(out.str(), "");
    EXPECT_NE(errors.str().find("unknown scope 'mlflow:all'"), std::string::npos);
    EXPECT_NE(errors.str().find("'soon'"), std::string::npos);
    EXPECT_NE(errors.str().find("'staging'"), std::string::npos);
}

TEST_F(KeysCommand, a_failing_store_is_exit_1_with_its_message) {
    store.fail_with(base::Error{base::Code::unavailable, "the disk is full"});

    EXPECT_EQ(create({.name = "ci", .scopes = "admin"}), 1);
    EXPECT_EQ(keys_list(store, false, kNow, console), 1);
    EXPECT_EQ(keys_revoke(store, "x", kNow, console), 1);

    EXPECT_EQ(out.str(), "");
    EXPECT_NE(errors.str().find("the disk is full"), std::string::npos);
}

TEST_F(KeysCommand, list_shows_every_key_with_its_state_but_no_key) {
    ASSERT_EQ(create({.name = "active one", .scopes = "mlflow:read"}), 0);
    const std::string key = out.str().substr(0, out.str().find('\n'));
    ASSERT_EQ(create({.name = "short", .scopes = "admin", .expires = "1h"}), 0);
    ASSERT_EQ(create({.name = "gone", .scopes = "admin"}), 0);
    ASSERT_EQ(keys_revoke(store, stored(2).id, kNow, console), 0);
    const std::vector<auth::KeyUse> uses{{stored(0).id, kNow + 61s}};
    ASSERT_TRUE(store.record_last_used(uses));

    const std::string text = list(kNow + 2h);

    std::istringstream lines(text);
    std::string head;
    std::string first;
    std::string second;
    std::string third;
    std::getline(lines, head);
    std::getline(lines, first);
    std::getline(lines, second);
    std::getline(lines, third);
    EXPECT_TRUE(head.starts_with("ID "));
    EXPECT_EQ(first,
              stored(0).id + "  active one  " + stored(0).prefix +
                  "  mlflow:read  2025-08-14 12:00  never             2025-08-14 12:01  active");
    EXPECT_TRUE(second.ends_with("2025-08-14 13:00  never             expired")) << second;
    EXPECT_TRUE(third.ends_with("revoked")) << third;
    EXPECT_EQ(text.find(key), std::string::npos);
}

TEST_F(KeysCommand, list_columns_line_up_behind_names_of_any_alphabet) {
    ASSERT_EQ(create({.name = "\xC3\xA4\xC3\xB6\xC3\xBC", .scopes = "admin"}), 0);
    ASSERT_EQ(create({.name = "abc", .scopes = "admin"}), 0);

    const std::string text = list();

    EXPECT_NE(text.find("\xC3\xA4\xC3\xB6\xC3\xBC   hk_live_"), std::string::npos) << text;
    EXPECT_NE(text.find("abc   hk_live_"), std::string::npos) << text;
}

TEST_F(KeysCommand, list_as_json_is_an_array) {
    out.str("");
    ASSERT_EQ(keys_list(store, true, kNow, console), 0);
    EXPECT_EQ(printed(), boost::json::array());

    ASSERT_EQ(create({.name = "ci", .scopes = "full_access"}), 0);
    out.str("");
    ASSERT_EQ(keys_list(store, true, kNow, console), 0);
    EXPECT_EQ(printed(),
              (boost::json::array{{{"id", stored().id},
                                   {"name", "ci"},
                                   {"prefix", stored().prefix},
                                   {"scopes", {"mlflow:write", "model:write"}},
                                   {"created_at", "2025-08-14T12:00:00.000000Z"},
                                   {"expires_at", nullptr},
                                   {"last_used_at", nullptr},
                                   {"state", "active"}}}));
}

TEST_F(KeysCommand, list_of_nothing_says_what_to_do) {
    EXPECT_NE(list().find("hokusai keys create"), std::string::npos);
}

TEST_F(KeysCommand, revoke_works_and_may_be_repeated) {
    ASSERT_EQ(create({.name = "ci", .scopes = "admin"}), 0);

    EXPECT_EQ(keys_revoke(store, stored().id, kNow, console), 0);
    EXPECT_EQ(keys_revoke(store, stored().id, kNow + 1h, console), 0);

    EXPECT_EQ(stored().revoked_at, kNow);
    EXPECT_NE(out.str().find("is revoked since 2025-08-14T12:00:00"), std::string::npos);
}

TEST_F(KeysCommand, revoke_of_an_unknown_id_is_exit_1) {
    EXPECT_EQ(keys_revoke(store, "nobody", kNow, console), 1);
    EXPECT_NE(errors.str().find("no API key with the id 'nobody'"), std::string::npos);
}

TEST_F(KeysCommand, acts_are_audited_as_cli) {
    ASSERT_EQ(create({.name = "ci", .scopes = "admin"}), 0);
    ASSERT_EQ(keys_revoke(store, stored().id, kNow, console), 0);

    const std::vector<auth::AuditEntry> entries = store.latest(10).value();

    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].actor, "cli");
    EXPECT_EQ(entries[0].action, "key.revoke");
    EXPECT_EQ(entries[1].actor, "cli");
    EXPECT_EQ(entries[1].action, "key.create");
}

}  // namespace
}  // namespace apps
