#include "auth/key_issuing.hpp"

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "auth/testing/fake_key_store.hpp"
#include "auth/testing/key_store_contract.hpp"

#include <gtest/gtest.h>

namespace auth::testing {

namespace {

StoreUnderTest make_fake() {
    const auto fake = std::make_shared<FakeKeyStore>();
    return {fake, fake.get(), fake.get()};
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Fake, KeyStoreContract, ::testing::Values(&make_fake));

}  // namespace auth::testing

namespace auth {
namespace {

using namespace std::chrono_literals;

const base::WallTime kNow = testing::at_second(0);

struct KeyIssuing : public ::testing::Test {
    base::Result<IssuedKey> issue(std::string name) {
        return issue_key(store, hasher, {.name = std::move(name), .scopes = {Scope::model_read}}, "cli", kNow);
    }

    testing::FakeKeyStore store;
    KeyHasher hasher{{.version = 3, .bytes = {1}}};
    base::Secret bootstrap = generate_key(Environment::production);
};

TEST_F(KeyIssuing, stores_the_hash_and_never_the_key) {
    const KeyRequest request{
        .name = "  ci  ", .scopes = {Scope::mlflow_write}, .expires_at = kNow + 24h, .environment = Environment::test};

    const IssuedKey issued = issue_key(store, hasher, request, "cli", kNow).value();

    const KeyRecord stored = store.load_all().value().at(0);
    EXPECT_TRUE(looks_like_key(issued.key.reveal()));
    EXPECT_TRUE(issued.key.reveal().starts_with("hk_test_"));
    EXPECT_EQ(stored.hash, hasher.hash(issued.key.reveal()));
    EXPECT_EQ(stored.id, issued.record.id);
    EXPECT_EQ(stored.id.size(), 36U);
    EXPECT_EQ(stored.name, "ci");
    EXPECT_EQ(stored.prefix, issued.key.reveal().substr(0, 11));
    EXPECT_EQ(stored.pepper_version, 3U);
    EXPECT_EQ(stored.scopes, Scopes{Scope::mlflow_write});
    EXPECT_EQ(stored.created_at, kNow);
    EXPECT_EQ(stored.expires_at, kNow + 24h);
}

TEST_F(KeyIssuing, leaves_an_audit_entry_without_the_key) {
    const IssuedKey issued = issue("ci").value();
    ASSERT_TRUE(revoke_key(store, issued.record.id, "boss", kNow + 1s));

    const std::vector<AuditEntry> entries = store.latest(10).value();

    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[1].actor, "cli");
    EXPECT_EQ(entries[1].action, "key.create");
    EXPECT_EQ(entries[1].target, issued.record.id);
    EXPECT_NE(entries[1].detail.find("name 'ci'"), std::string::npos);
    EXPECT_EQ(entries[1].detail.find(issued.key.reveal()), std::string::npos);
    EXPECT_EQ(entries[0].actor, "boss");
    EXPECT_EQ(entries[0].action, "key.revoke");
    EXPECT_EQ(entries[0].at, kNow + 1s);
}

TEST_F(KeyIssuing, checks_names) {
    std::string umlauts;
    for (int i = 0; i < 100; ++i) {
        umlauts += "\xC3\xA4";
    }
    EXPECT_TRUE(issue("a"));
    EXPECT_TRUE(issue(umlauts)) << "characters count, not bytes";
    EXPECT_TRUE(issue("\xF0\x9F\x8E\xA8 \xE6\xB5\xAE"));
    for (const std::string& name : {std::string(),
                                    std::string(" \t "),
                                    std::string(101, 'a'),
                                    umlauts + "a",
                                    std::string("a\nb"),
                                    std::string("a\0b", 3),
                                    std::string("\x1B[31mred"),
                                    std::string("\xC2\x9B"
                                                "31m"),
                                    std::string("\xFF"),
                                    std::string("\xC3"),
                                    std::string("\xC3("),
                                    std::string("\xC0\xAF"),
                                    std::string("\xE0\x80\xAF"),
                                    std::string("\xED\xA0\x80"),
                                    std::string("\xF4\x90\x80\x80")}) {
        const auto refused = issue(name);
        ASSERT_FALSE(refused) << name;
        EXPECT_EQ(refused.error().code, base::Code::invalid_argument);
    }
    EXPECT_EQ(store.load_all().value().size(), 3U);
}

TEST_F(KeyIssuing, refuses_empty_scopes_and_past_expiry) {
    EXPECT_EQ(issue_key(store, hasher, {.name = "a", .scopes = {}}, "cli", kNow).error().code,
              base::Code::invalid_argument);
    EXPECT_EQ(
        issue_key(store, hasher, {.name = "a", .scopes = {Scope::admin}, .expires_at = kNow}, "cli", kNow).error().code,
        base::Code::invalid_argument);
    EXPECT_TRUE(store.load_all().value().empty());
}

TEST_F(KeyIssuing, hands_on_the_error_of_the_store) {
    store.fail_with(base::Error{base::Code::unavailable, "disk full"});
    EXPECT_EQ(issue("a").error().message, "disk full");
    EXPECT_EQ(revoke_key(store, "x", "cli", kNow).error().message, "disk full");
    EXPECT_EQ(ensure_bootstrap_key(store, hasher, bootstrap, kNow).error().message, "disk full");
}

TEST_F(KeyIssuing, a_store_that_cannot_be_written_fails_the_bootstrap) {
    store.fail_writes_with(base::Error{base::Code::unavailable, "read-only"});

    EXPECT_EQ(ensure_bootstrap_key(store, hasher, bootstrap, kNow).error().message, "read-only");
}

TEST_F(KeyIssuing, bootstrap_makes_an_admin_when_there_is_none) {
    ASSERT_TRUE(issue("not an admin"));

    EXPECT_EQ(ensure_bootstrap_key(store, hasher, bootstrap, kNow), true);

    const KeyRecord stored = store.load_all().value().at(1);
    EXPECT_EQ(stored.hash, hasher.hash(bootstrap.reveal()));
    EXPECT_EQ(stored.scopes, Scopes{Scope::admin});
    EXPECT_EQ(store.latest(1).value().at(0).actor, "bootstrap");
}

TEST_F(KeyIssuing, bootstrap_does_nothing_beside_an_active_admin) {
    ASSERT_TRUE(ensure_bootstrap_key(store, hasher, bootstrap, kNow));

    EXPECT_EQ(ensure_bootstrap_key(store, hasher, bootstrap, kNow), false);
    EXPECT_EQ(ensure_bootstrap_key(store, hasher, generate_key(Environment::test), kNow), false);
    EXPECT_EQ(store.load_all().value().size(), 1U);
}

TEST_F(KeyIssuing, bootstrap_never_brings_back_a_revoked_key) {
    ASSERT_TRUE(ensure_bootstrap_key(store, hasher, bootstrap, kNow));
    ASSERT_TRUE(revoke_key(store, store.load_all().value().at(0).id, "cli", kNow));

    EXPECT_EQ(ensure_bootstrap_key(store, hasher, bootstrap, kNow).error().code, base::Code::conflict);
    EXPECT_EQ(ensure_bootstrap_key(store, hasher, generate_key(Environment::test), kNow), true);
}

TEST_F(KeyIssuing, bootstrap_says_why_a_known_key_that_is_no_admin_is_of_no_use) {
    ASSERT_TRUE(ensure_bootstrap_key(store, hasher, bootstrap, kNow));
    ASSERT_TRUE(revoke_key(store, store.load_all().value().at(0).id, "cli", kNow));

    const std::string told = ensure_bootstrap_key(store, hasher, bootstrap, kNow).error().message;

    EXPECT_NE(told.find("revoked, expired or without the scope admin"), std::string::npos) << told;
    EXPECT_NE(told.find("hokusai keys create"), std::string::npos) << told;
    EXPECT_EQ(told.find(bootstrap.reveal()), std::string::npos);
}

// Two processes of one deployment start together; the store's refusal of the second is not its failure.
TEST_F(KeyIssuing, bootstrap_by_another_process_meanwhile_is_as_good) {
    struct LateStore final : testing::FakeKeyStore {
        base::Result<std::vector<KeyRecord>> load_all() override {
            return std::exchange(is_early, false) ? std::vector<KeyRecord>() : FakeKeyStore::load_all();
        }

        bool is_early = false;
    };

    LateStore late;
    ASSERT_TRUE(ensure_bootstrap_key(late, hasher, bootstrap, kNow));
    late.is_early = true;

    EXPECT_EQ(ensure_bootstrap_key(late, hasher, bootstrap, kNow), false);
    EXPECT_EQ(late.load_all().value().size(), 1U);
}

TEST_F(KeyIssuing, bootstrap_refuses_another_format_and_says_which) {
    const auto refused = ensure_bootstrap_key(store, hasher, base::Secret("changeme"), kNow);

    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::Code::invalid_argument);
    EXPECT_NE(refused.error().message.find("hk_live_"), std::string::npos);
    EXPECT_EQ(refused.error().message.find("changeme"), std::string::npos);
}

}  // namespace
}  // namespace auth
