#include "storage/sqlite_key_store.hpp"

#include <csignal>
#include <memory>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/testing/key_store_contract.hpp"
#include "storage/data_directory.hpp"
#include "storage/sqlite_audit_log.hpp"
#include "storage/testing/temporary_folder.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

namespace storage {
namespace {

using auth::testing::at_second;
using auth::testing::make_entry;
using auth::testing::make_key_record;

struct TemporaryStore {
    testing::TemporaryFolder folder;
    std::unique_ptr<SqliteDatabase> database = std::move(open_database(folder.path()).value());
    SqliteKeyStore keys{*database};
    SqliteAuditLog audit{*database};
};

auth::testing::StoreUnderTest make_sqlite() {
    const auto store = std::make_shared<TemporaryStore>();
    return {store, &store->keys, &store->audit};
}

// Another process as far as SQLite can tell: a connection of its own.
struct Neighbour {
    explicit Neighbour(const TemporaryStore& store) : database(std::move(open_database(store.folder.path()).value())) {}

    std::unique_ptr<SqliteDatabase> database;
    SqliteKeyStore keys{*database};
};

base::Result<void> run_on(SqliteDatabase& database, const char* text) {
    return database.transaction([text](SQLite::Database& connection) -> base::Result<void> {
        connection.exec(text);
        return {};
    });
}

TEST(SqliteKeyStore, sees_what_a_neighbour_changes) {
    TemporaryStore store;
    Neighbour neighbour(store);
    const std::uint64_t before = store.keys.change_counter().value();

    ASSERT_TRUE(neighbour.keys.insert(make_key_record(1), make_entry("id-1")));
    const std::uint64_t inserted = store.keys.change_counter().value();
    EXPECT_NE(inserted, before);
    EXPECT_EQ(store.keys.load_all().value().size(), 1U);

    ASSERT_TRUE(neighbour.keys.revoke("id-1", at_second(9), make_entry("id-1")));
    EXPECT_NE(store.keys.change_counter().value(), inserted);
    EXPECT_EQ(store.keys.load_all().value().at(0).revoked_at, at_second(9));
}

TEST(SqliteKeyStore, probes_do_not_look_like_changed_keys) {
    TemporaryStore store;
    const Neighbour neighbour(store);
    const std::uint64_t before = store.keys.change_counter().value();

    ASSERT_TRUE(check_store(*neighbour.database));

    EXPECT_EQ(store.keys.change_counter().value(), before);
}

TEST(SqliteKeyStore, keys_outlive_the_process) {
    TemporaryStore store;
    ASSERT_TRUE(store.keys.insert(make_key_record(1), make_entry("id-1")));
    store.database.reset();

    const Neighbour later(store);

    EXPECT_EQ(SqliteKeyStore(*later.database).load_all().value().at(0).hash, make_key_record(1).hash);
}

TEST(SqliteKeyStore, a_process_killed_in_a_transaction_loses_only_that_one) {
    const testing::TemporaryFolder folder;
    const ::pid_t child = ::fork();
    if (child == 0) {
        const auto service = ServiceLock::acquire(folder.path());
        const auto database = std::move(open_database(folder.path()).value());
        SqliteKeyStore keys(*database);
        for (unsigned char number = 1; number <= 3; ++number) {
            if (!keys.insert(make_key_record(number), make_entry("x"))) {
                ::_exit(1);
            }
        }
        const auto unreachable = database->transaction([](SQLite::Database& connection) -> base::Result<void> {
            connection.exec("DELETE FROM api_keys");
            ::raise(SIGKILL);
            return {};
        });
        ::_exit(unreachable ? 2 : 3);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << status;

    const auto database = std::move(open_database(folder.path()).value());
    EXPECT_EQ(SqliteKeyStore(*database).load_all().value().size(), 3U);
    EXPECT_EQ(SqliteAuditLog(*database).latest(10).value().size(), 3U);
    EXPECT_TRUE(check_store(*database));
    EXPECT_TRUE(ServiceLock::acquire(folder.path()));
}

TEST(SqliteKeyStore, an_unknown_scope_grants_nothing_and_costs_nothing) {
    TemporaryStore store;
    ASSERT_TRUE(store.keys.insert(make_key_record(1), make_entry("id-1")));
    ASSERT_TRUE(run_on(*store.database, "UPDATE api_keys SET scopes = 'mlflow:read, moon:land'"));

    EXPECT_EQ(store.keys.load_all().value().at(0).scopes, auth::Scopes{auth::Scope::mlflow_read});
}

TEST(SqliteKeyStore, text_of_people_is_data) {
    TemporaryStore store;
    auth::KeyRecord record = make_key_record(1);
    record.name = "Robert'); DROP TABLE api_keys;--";
    ASSERT_TRUE(store.keys.insert(record, make_entry("'")));

    EXPECT_EQ(store.keys.load_all().value().at(0).name, record.name);
    EXPECT_EQ(store.keys.revoke("' OR '1'='1", at_second(1), make_entry("'")).error().code, base::Code::not_found);
}

TEST(SqliteKeyStore, a_failed_audit_entry_undoes_the_act) {
    TemporaryStore store;
    ASSERT_TRUE(run_on(*store.database,
                       "CREATE TRIGGER no_entries BEFORE INSERT ON audit_log BEGIN SELECT RAISE(FAIL, 'x'); END"));

    EXPECT_FALSE(store.keys.insert(make_key_record(1), make_entry("id-1")));
    EXPECT_TRUE(store.keys.load_all().value().empty());
}

TEST(SqliteAuditLog, refuses_every_change_of_the_past) {
    TemporaryStore store;
    ASSERT_TRUE(store.audit.append(make_entry("first")));
    ASSERT_TRUE(store.audit.append(make_entry("second")));

    EXPECT_FALSE(run_on(*store.database, "UPDATE audit_log SET actor = 'nobody'"));
    EXPECT_FALSE(run_on(*store.database, "DELETE FROM audit_log"));
    EXPECT_FALSE(run_on(*store.database, "DELETE FROM audit_log WHERE sequence = 2"));
    EXPECT_FALSE(run_on(*store.database, "INSERT OR REPLACE INTO audit_log VALUES (1, 0, 'a', 'b', 'c', 'd')"));

    const auto entries = store.audit.latest(10).value();
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[1].target, "first");
    EXPECT_EQ(entries[1].actor, "tester");
}

TEST(VerifyPepper, remembers_the_first_and_refuses_another) {
    TemporaryStore store;
    auth::KeyHasher mine({.version = 1, .bytes = {1}});
    auth::KeyHasher other({.version = 1, .bytes = {2}});
    auth::KeyHasher next({.version = 2, .bytes = {2}});

    EXPECT_TRUE(verify_pepper(*store.database, mine));
    EXPECT_TRUE(verify_pepper(*store.database, mine));
    EXPECT_EQ(verify_pepper(*store.database, other).error().code, base::Code::data_loss);
    EXPECT_NE(verify_pepper(*store.database, other).error().message.find("restore the pepper"), std::string::npos);
    EXPECT_TRUE(verify_pepper(*store.database, next));
    EXPECT_TRUE(verify_pepper(*store.database, mine));
}

}  // namespace
}  // namespace storage

namespace auth::testing {

INSTANTIATE_TEST_SUITE_P(Sqlite, KeyStoreContract, ::testing::Values(&storage::make_sqlite));

}  // namespace auth::testing
