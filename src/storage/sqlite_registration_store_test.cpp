#include "storage/sqlite_registration_store.hpp"

#include "storage/migrations.hpp"
#include "storage/sqlite_run_facts.hpp"
#include "storage/testing/temporary_folder.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

namespace {

using base::Code;
using models::Registration;
using models::RegistrationState;

class SqliteRegistrationStoreTest : public testing::Test {
protected:
    static Registration registration(const std::string& id, const std::string& key = "") {
        return {.id = id,
                .model_name = "fox",
                .model_type = "ranking",
                .model_data = R"({"a":1})",
                .metadata = "{}",
                .key_id = "k1",
                .key_name = "ann",
                .idempotency_key = key,
                .created_at = base::WallTime(std::chrono::microseconds(1'700'000'000'123'456))};
    }

    static Registration registered(Registration one, std::int64_t version) {
        one.state = RegistrationState::registered;
        one.version = version;
        one.run_id = "r1";
        return one;
    }

    std::int64_t count(const char* table) {
        return *database->read([table](SQLite::Database& connection) -> base::Result<std::int64_t> {
            return connection.execAndGet("SELECT count(*) FROM " + std::string(table)).getInt64();
        });
    }

    storage::testing::TemporaryFolder directory;
    std::unique_ptr<storage::SqliteDatabase> database = *storage::open_database(directory.path());
    storage::SqliteRegistrationStore store{*database};
};

constexpr const char* kId = "0f8fad5b-d9cb-469f-a165-70867728950e";

TEST_F(SqliteRegistrationStoreTest, keeps_what_it_was_given) {
    ASSERT_TRUE(store.add(registration(kId, "key")));
    const auto found = store.find(kId);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->model_data, R"({"a":1})");
    EXPECT_EQ((*found)->created_at, registration(kId).created_at);
    EXPECT_EQ((*found)->state, RegistrationState::pending);
    EXPECT_EQ((*found)->key_name, "ann");
    EXPECT_FALSE(*store.find("another"));
}

TEST_F(SqliteRegistrationStoreTest, a_key_belongs_to_one_registration_of_its_owner) {
    EXPECT_TRUE(store.add(registration("a", "key"))->is_new);
    const auto same = store.add(registration("b", "key"));
    EXPECT_FALSE(same->is_new);
    EXPECT_EQ(same->registration.id, "a");
    Registration of_another = registration("c", "key");
    of_another.key_id = "k2";
    EXPECT_TRUE(store.add(of_another)->is_new);
    EXPECT_TRUE(store.add(registration("d"))->is_new);
    EXPECT_TRUE(store.add(registration("e"))->is_new);
}

TEST_F(SqliteRegistrationStoreTest, a_version_and_its_event_are_there_together_and_once) {
    ASSERT_TRUE(store.add(registration(kId)));
    const Registration settled = registered(registration(kId), 3);
    const models::Event event = models::registered_event(settled, settled.created_at);
    ASSERT_TRUE(store.settle(settled, event));
    ASSERT_TRUE(store.settle(registered(registration(kId), 4), event));
    EXPECT_EQ((*store.find(kId))->version, 3);
    EXPECT_EQ(count("events"), 1);
    EXPECT_TRUE(store.list_pending()->empty());
}

TEST_F(SqliteRegistrationStoreTest, neither_is_there_without_the_other) {
    ASSERT_TRUE(store.add(registration(kId)));
    ASSERT_TRUE(store.add(registration("another")));
    const Registration settled = registered(registration(kId), 3);
    const models::Event event = models::registered_event(settled, settled.created_at);
    ASSERT_TRUE(store.settle(settled, event));
    EXPECT_FALSE(store.settle(registered(registration("another"), 4), event));
    EXPECT_EQ((*store.find("another"))->state, RegistrationState::pending);
}

TEST_F(SqliteRegistrationStoreTest, what_waits_is_listed_in_its_order) {
    for (const char* id : {"c", "a", "b"}) {
        ASSERT_TRUE(store.add(registration(id)));
    }
    Registration failed = registration("a");
    failed.state = RegistrationState::failed;
    failed.error = "no";
    ASSERT_TRUE(store.settle(failed, std::nullopt));
    const auto waiting = store.list_pending();
    ASSERT_EQ(waiting->size(), 2U);
    EXPECT_EQ((*waiting)[0].id, "c");
    EXPECT_EQ((*waiting)[1].id, "b");
    EXPECT_EQ((*store.find("a"))->error, "no");
    EXPECT_EQ(count("events"), 0);
}

TEST_F(SqliteRegistrationStoreTest, only_so_many_may_wait) {
    for (std::int64_t i = 0; i < storage::SqliteRegistrationStore::kMaxPending; ++i) {
        ASSERT_TRUE(store.add(registration(std::to_string(i), i == 0 ? "key" : "")));
    }
    EXPECT_EQ(store.add(registration("more")).error().code, Code::exhausted);
    EXPECT_FALSE(store.add(registration("more", "key"))->is_new);
}

TEST_F(SqliteRegistrationStoreTest, the_facts_read_longest_ago_are_forgotten) {
    storage::SqliteRunFacts facts(*database, 2);
    const auto put = [&facts](const std::string& run, int seconds, const std::string& param = "x") {
        models::RunFacts one;
        one.run_id = run;
        one.params["p"] = param;
        one.read_at = base::WallTime(std::chrono::seconds(seconds));
        ASSERT_TRUE(facts.put(one));
    };
    put("a", 1);
    put("b", 2);
    put("a", 3, "y");
    put("c", 4);
    EXPECT_FALSE(*facts.find("b"));
    ASSERT_TRUE(*facts.find("a"));
    EXPECT_EQ((*facts.find("a"))->params.at("p"), "y");
    EXPECT_EQ((*facts.find("a"))->read_at, base::WallTime(std::chrono::seconds(3)));
    put("a", 5, std::string(100'000, 'x'));
    EXPECT_FALSE(*facts.find("a"));
}

}  // namespace
