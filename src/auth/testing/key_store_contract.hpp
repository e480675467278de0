// What every key store must do, whatever it is made of:
//
//   INSTANTIATE_TEST_SUITE_P(Fake, KeyStoreContract, ::testing::Values(&make_fake));
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "auth/key_store.hpp"

#include <gtest/gtest.h>

namespace auth::testing {

struct StoreUnderTest {
    std::shared_ptr<void> owner;  // of both
    KeyStore* keys = nullptr;
    AuditLog* audit = nullptr;
};

using MakeStore = StoreUnderTest (*)();

inline base::WallTime at_second(int second) {
    return base::WallTime(std::chrono::seconds(1'755'172'800 + second));
}

// A key that differs from another one in everything when `number` differs.
inline KeyRecord make_key_record(unsigned char number) {
    KeyRecord record;
    record.id = "id-" + std::to_string(number);
    record.name = "key " + std::to_string(number);
    record.prefix = "hk_live_abc";
    record.hash.fill(number);
    record.pepper_version = 1;
    record.scopes = {Scope::mlflow_write, Scope::model_read};
    record.created_at = at_second(number);
    return record;
}

inline AuditEntry make_entry(std::string target) {
    return {at_second(0), "tester", "key.test", std::move(target), "detail"};
}

class KeyStoreContract : public ::testing::TestWithParam<MakeStore> {
protected:
    std::size_t entry_count() {
        return under_test.audit->latest(100).value().size();
    }

    StoreUnderTest under_test = GetParam()();
    KeyStore& keys = *under_test.keys;
};

TEST_P(KeyStoreContract, is_empty_at_first) {
    EXPECT_TRUE(keys.load_all().value().empty());
    EXPECT_EQ(entry_count(), 0U);
}

TEST_P(KeyStoreContract, gives_back_all_fields_in_order_of_creation) {
    KeyRecord full = make_key_record(2);
    full.expires_at = at_second(1000) + std::chrono::microseconds(123456);
    ASSERT_TRUE(keys.insert(make_key_record(1), make_entry("id-1")));
    ASSERT_TRUE(keys.insert(full, make_entry("id-2")));

    const std::vector<KeyRecord> records = keys.load_all().value();

    ASSERT_EQ(records.size(), 2U);
    EXPECT_EQ(records[0].id, "id-1");
    EXPECT_EQ(records[0].expires_at, std::nullopt);
    EXPECT_EQ(records[1].id, "id-2");
    EXPECT_EQ(records[1].name, "key 2");
    EXPECT_EQ(records[1].prefix, "hk_live_abc");
    EXPECT_EQ(records[1].hash, full.hash);
    EXPECT_EQ(records[1].pepper_version, 1U);
    EXPECT_EQ(records[1].scopes, (Scopes{Scope::mlflow_write, Scope::model_read}));
    EXPECT_EQ(records[1].created_at, at_second(2));
    EXPECT_EQ(records[1].expires_at, full.expires_at);
    EXPECT_EQ(records[1].last_used_at, std::nullopt);
    EXPECT_EQ(records[1].revoked_at, std::nullopt);
}

TEST_P(KeyStoreContract, refuses_a_second_key_of_the_same_id_or_hash_and_writes_no_entry_for_it) {
    ASSERT_TRUE(keys.insert(make_key_record(1), make_entry("id-1")));
    KeyRecord same_id = make_key_record(2);
    same_id.id = "id-1";
    KeyRecord same_hash = make_key_record(3);
    same_hash.hash = make_key_record(1).hash;

    EXPECT_EQ(keys.insert(same_id, make_entry("x")).error().code, base::Code::conflict);
    EXPECT_EQ(keys.insert(same_hash, make_entry("x")).error().code, base::Code::conflict);

    EXPECT_EQ(keys.load_all().value().size(), 1U);
    EXPECT_EQ(entry_count(), 1U);
}

TEST_P(KeyStoreContract, revokes_once_and_keeps_the_first_time) {
    ASSERT_TRUE(keys.insert(make_key_record(1), make_entry("id-1")));

    EXPECT_EQ(keys.revoke("id-1", at_second(10), make_entry("id-1")).value().revoked_at, at_second(10));
    EXPECT_EQ(keys.revoke("id-1", at_second(20), make_entry("id-1")).value().revoked_at, at_second(10));

    EXPECT_EQ(keys.load_all().value().at(0).revoked_at, at_second(10));
    EXPECT_EQ(entry_count(), 2U);
}

TEST_P(KeyStoreContract, does_not_revoke_what_it_does_not_know) {
    const auto revoked = keys.revoke("nobody", at_second(10), make_entry("nobody"));

    EXPECT_EQ(revoked.error().code, base::Code::not_found);
    EXPECT_EQ(revoked.error().message, "API key not found");
    EXPECT_EQ(entry_count(), 0U);
}

TEST_P(KeyStoreContract, moves_last_use_only_forward_and_skips_unknown_ids) {
    ASSERT_TRUE(keys.insert(make_key_record(1), make_entry("id-1")));
    const std::vector<KeyUse> later{{"nobody", at_second(5)}, {"id-1", at_second(60)}};
    const std::vector<KeyUse> earlier{{"id-1", at_second(30)}};

    EXPECT_TRUE(keys.record_last_used(later));
    EXPECT_TRUE(keys.record_last_used(earlier));
    EXPECT_TRUE(keys.record_last_used({}));

    EXPECT_EQ(keys.load_all().value().at(0).last_used_at, at_second(60));
}

TEST_P(KeyStoreContract, counts_inserts_and_revokes_and_nothing_else) {
    const std::uint64_t start = keys.change_counter().value();
    ASSERT_TRUE(keys.insert(make_key_record(1), make_entry("id-1")));
    const std::uint64_t inserted = keys.change_counter().value();
    EXPECT_GT(inserted, start);

    const std::vector<KeyUse> uses{{"id-1", at_second(60)}};
    ASSERT_TRUE(keys.record_last_used(uses));
    ASSERT_TRUE(under_test.audit->append(make_entry("other")));
    ASSERT_FALSE(keys.insert(make_key_record(1), make_entry("id-1")));
    EXPECT_EQ(keys.change_counter().value(), inserted);

    ASSERT_TRUE(keys.revoke("id-1", at_second(70), make_entry("id-1")));
    EXPECT_GT(keys.change_counter().value(), inserted);
}

TEST_P(KeyStoreContract, audit_shows_the_newest_entries_first) {
    ASSERT_TRUE(keys.insert(make_key_record(1), make_entry("first")));
    ASSERT_TRUE(under_test.audit->append({at_second(7), "cli", "breaker.reset", "mlflow", "why"}));

    const std::vector<AuditEntry> newest = under_test.audit->latest(1).value();

    ASSERT_EQ(newest.size(), 1U);
    EXPECT_EQ(newest[0].at, at_second(7));
    EXPECT_EQ(newest[0].actor, "cli");
    EXPECT_EQ(newest[0].action, "breaker.reset");
    EXPECT_EQ(newest[0].target, "mlflow");
    EXPECT_EQ(newest[0].detail, "why");
    EXPECT_EQ(under_test.audit->latest(9).value().back().target, "first");
}

}  // namespace auth::testing
