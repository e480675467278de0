#include "storage/sqlite_database.hpp"

#include <barrier>
#include <cstddef>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <vector>

#include "storage/migrations.hpp"
#include "storage/testing/temporary_folder.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

namespace storage {
namespace {

using namespace std::chrono_literals;

unsigned mode_of(const std::filesystem::path& path) {
    struct ::stat facts{};
    EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
    return facts.st_mode & 0777U;
}

base::Result<int> read_int(SqliteDatabase& database, const std::string& query) {
    return database.read(
        [&query](SQLite::Database& connection) -> base::Result<int> { return connection.execAndGet(query).getInt(); });
}

base::Result<void> run_sql(SqliteDatabase& database, const std::string& text) {
    return database.transaction([&text](SQLite::Database& connection) -> base::Result<void> {
        connection.exec(text);
        return {};
    });
}

struct SqliteDatabaseTest : public ::testing::Test {
    std::unique_ptr<SqliteDatabase> open() {
        return std::move(open_database(folder.path()).value());
    }

    base::Error open_error() {
        const auto opened = open_database(folder.path());
        return opened ? base::Error{base::Code::internal, "opened"} : opened.error();
    }

    void write_file(const std::string& content, std::streamoff at = 0) {
        std::fstream file(database_file(folder.path()), std::ios::in | std::ios::out | std::ios::binary);
        if (!file.is_open()) {
            file.open(database_file(folder.path()), std::ios::out | std::ios::binary);
        }
        file.seekp(at);
        file << content;
    }

    testing::TemporaryFolder folder;
};

TEST_F(SqliteDatabaseTest, creates_folder_and_files_for_the_owner_only) {
    const std::filesystem::path data_dir = folder.path() / "new" / "data";

    const auto database = open_database(data_dir);

    ASSERT_TRUE(database);
    ASSERT_TRUE(check_store(**database));
    EXPECT_EQ(mode_of(data_dir), 0700U);
    EXPECT_EQ(mode_of(folder.path() / "new"), 0700U);
    EXPECT_EQ(mode_of(database_file(data_dir)), 0600U);
    EXPECT_EQ(mode_of(database_file(data_dir).string() + "-wal"), 0600U);
    EXPECT_EQ(mode_of(database_file(data_dir).string() + "-shm"), 0600U);
}

TEST_F(SqliteDatabaseTest, is_set_up_for_durability) {
    const auto database = open();

    EXPECT_EQ(read_int(*database, "PRAGMA synchronous"), 2);
    EXPECT_EQ(read_int(*database, "PRAGMA foreign_keys"), 1);
    EXPECT_EQ(read_int(*database, "PRAGMA busy_timeout"), 1000);
    EXPECT_EQ(read_int(*database, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
    EXPECT_EQ(read_int(*database, "PRAGMA user_version"), schema_version(Schema::main));
}

TEST_F(SqliteDatabaseTest, the_replica_may_lose_its_last_writes_but_nothing_else) {
    const auto replica = std::move(open_replica_database(folder.path()).value());

    EXPECT_EQ(read_int(*replica, "PRAGMA synchronous"), 1);
    EXPECT_EQ(read_int(*replica, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
    EXPECT_EQ(read_int(*replica, "PRAGMA user_version"), schema_version(Schema::replica));
    EXPECT_EQ(mode_of(replica_file(folder.path())), 0600U);
}

TEST_F(SqliteDatabaseTest, neither_database_passes_for_the_other) {
    open_replica_database(folder.path()).value().reset();

    const auto opened = open_database(folder.path(), replica_file(folder.path()));

    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, base::Code::unsupported);
    EXPECT_NE(opened.error().message.find("another program"), std::string::npos);
}

TEST_F(SqliteDatabaseTest, an_older_database_keeps_its_rows_and_gets_the_newer_tables) {
    ASSERT_TRUE(run_sql(*open(),
                        "UPDATE store_probe SET writes = 5; DROP TABLE registry_version_tags;"
                        "DROP TABLE registry_model_tags; DROP TABLE registry_versions;"
                        "DROP TABLE registry_models; DROP TABLE registry_facts; DROP TABLE intents;"
                        "DROP TABLE alias_changes; DROP TABLE aliases_last_seen; DROP TABLE version_loads;"
                        "DROP TABLE registrations; DROP TABLE events; DROP TABLE run_facts;"
                        "PRAGMA user_version = 1"));

    const auto database = open();

    EXPECT_EQ(read_int(*database, "SELECT writes FROM store_probe"), 5);
    EXPECT_EQ(read_int(*database, "SELECT count(*) FROM registry_models"), 0);
    EXPECT_EQ(read_int(*database, "PRAGMA user_version"), schema_version(Schema::main));
}

TEST_F(SqliteDatabaseTest, a_snapshot_sees_one_state) {
    const auto reader = open();
    const auto writer = open();

    const auto seen = reader->snapshot([&](SQLite::Database& connection) -> base::Result<int> {
        EXPECT_EQ(connection.execAndGet("SELECT writes FROM store_probe").getInt(), 0);
        EXPECT_TRUE(check_store(*writer));
        return connection.execAndGet("SELECT writes FROM store_probe").getInt();
    });

    EXPECT_EQ(seen, 0);
    EXPECT_EQ(read_int(*reader, "SELECT writes FROM store_probe"), 1);
}

TEST_F(SqliteDatabaseTest, keeps_what_was_committed_and_nothing_else) {
    {
        const auto database = open();
        ASSERT_TRUE(run_sql(*database, "UPDATE store_probe SET writes = 5"));
        const auto refused = database->transaction([](SQLite::Database& connection) -> base::Result<void> {
            connection.exec("UPDATE store_probe SET writes = 6");
            return base::fail(base::Code::cancelled, "changed my mind");
        });
        EXPECT_EQ(refused.error().message, "changed my mind");
        EXPECT_FALSE(run_sql(*database, "UPDATE store_probe SET writes = 7; SELECT no_such_function()"));
    }
    EXPECT_EQ(read_int(*open(), "SELECT writes FROM store_probe"), 5);
}

TEST_F(SqliteDatabaseTest, no_sql_appears_in_an_error) {
    const auto failed = run_sql(*open(), "SELECT secret_column FROM nowhere");

    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, base::Code::internal);
    EXPECT_EQ(failed.error().message.find("secret_column"), std::string::npos);
    EXPECT_EQ(failed.error().message.find("nowhere"), std::string::npos);
}

TEST_F(SqliteDatabaseTest, a_lock_held_elsewhere_is_unavailable_after_the_busy_timeout) {
    const auto holder = open();
    const auto waiter = std::move(SqliteDatabase::open(database_file(folder.path()), 1ms).value());

    const auto outcome = holder->transaction(
        [&](SQLite::Database&) -> base::Result<base::Error> { return check_store(*waiter).error(); });

    EXPECT_EQ(outcome->code, base::Code::unavailable);
    EXPECT_NE(outcome->message.find("locked by another process"), std::string::npos);
    EXPECT_TRUE(check_store(*waiter));
}

TEST_F(SqliteDatabaseTest, a_full_disk_is_named_and_recovers) {
    const auto database = open();
    const std::string grow = "CREATE TABLE big AS SELECT zeroblob(100000) AS filler";
    const int pages = read_int(*database, "PRAGMA page_count").value();
    ASSERT_EQ(read_int(*database, "PRAGMA max_page_count = " + std::to_string(pages)), pages);

    const auto full = run_sql(*database, grow);

    EXPECT_EQ(full.error().code, base::Code::unavailable);
    EXPECT_NE(full.error().message.find("is full"), std::string::npos);
    ASSERT_TRUE(read_int(*database, "PRAGMA max_page_count = 100000"));
    EXPECT_TRUE(run_sql(*database, grow));
}

TEST_F(SqliteDatabaseTest, a_store_that_cannot_be_written_fails_its_check_but_can_be_read) {
    const auto database = open();
    ASSERT_TRUE(database->read([](SQLite::Database& connection) -> base::Result<void> {
        connection.exec("PRAGMA query_only=ON");
        return {};
    }));

    EXPECT_EQ(check_store(*database).error().code, base::Code::unavailable);
    EXPECT_NE(check_store(*database).error().message.find("can't be written"), std::string::npos);
    EXPECT_TRUE(read_int(*database, "SELECT writes FROM store_probe"));
}

TEST_F(SqliteDatabaseTest, a_healthy_store_passes_its_check_by_writing) {
    const auto database = open();
    ASSERT_TRUE(check_store(*database));
    ASSERT_TRUE(check_store(*database));
    EXPECT_EQ(read_int(*open(), "SELECT writes FROM store_probe"), 2);
}

TEST_F(SqliteDatabaseTest, a_file_deleted_under_the_service_fails_the_check) {
    const auto database = open();
    ASSERT_TRUE(check_store(*database));

    std::filesystem::remove(database_file(folder.path()));

    EXPECT_EQ(check_store(*database).error().code, base::Code::data_loss);
    EXPECT_NE(check_store(*database).error().message.find("moved or deleted"), std::string::npos);
}

TEST_F(SqliteDatabaseTest, refuses_what_is_no_database) {
    write_file(std::string(8192, 'x'));

    EXPECT_EQ(open_error().code, base::Code::data_loss);
    EXPECT_NE(open_error().message.find("is not a SQLite database"), std::string::npos);
    EXPECT_NE(open_error().message.find(database_file(folder.path()).string()), std::string::npos);
}

TEST_F(SqliteDatabaseTest, names_a_damaged_file) {
    open().reset();
    write_file(std::string(3900, 'x'), 100);  // the page of the schema, behind the intact file header

    EXPECT_EQ(open_error().code, base::Code::data_loss);
    EXPECT_NE(open_error().message.find("is damaged"), std::string::npos) << open_error().message;
}

TEST_F(SqliteDatabaseTest, an_empty_file_is_a_new_database) {
    write_file("");
    EXPECT_TRUE(check_store(*open()));
}

TEST_F(SqliteDatabaseTest, refuses_a_newer_schema_and_leaves_it_alone) {
    const std::string newer = std::to_string(schema_version(Schema::main) + 1);
    ASSERT_TRUE(run_sql(*open(), "PRAGMA user_version = " + newer));

    EXPECT_EQ(open_error().code, base::Code::unsupported);
    EXPECT_NE(open_error().message.find("schema " + newer), std::string::npos);
    const auto raw = std::move(SqliteDatabase::open(database_file(folder.path())).value());
    EXPECT_EQ(read_int(*raw, "PRAGMA user_version"), schema_version(Schema::main) + 1);
}

TEST_F(SqliteDatabaseTest, refuses_the_database_of_another_program) {
    {
        SQLite::Database other(database_file(folder.path()).string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        other.exec("CREATE TABLE experiments (id INTEGER)");
    }
    EXPECT_EQ(open_error().code, base::Code::unsupported);
    EXPECT_NE(open_error().message.find("another program"), std::string::npos);
}

TEST_F(SqliteDatabaseTest, refuses_a_folder_that_is_a_file) {
    std::ofstream(folder.path() / "file") << "x";

    const auto opened = open_database(folder.path() / "file");

    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, base::Code::unavailable);
    EXPECT_NE(opened.error().message.find("--data"), std::string::npos);
    EXPECT_FALSE(open_database(folder.path() / "file" / "below"));
}

TEST_F(SqliteDatabaseTest, names_a_file_of_its_own_whose_folder_is_missing) {
    const std::filesystem::path file = folder.path() / "unmounted" / "keys.db";

    const auto opened = open_database(folder.path(), file);

    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, base::Code::unavailable);
    EXPECT_EQ(opened.error().message, "can't create " + file.string() + ": No such file or directory");
}

TEST_F(SqliteDatabaseTest, two_folders_are_two_databases) {
    const testing::TemporaryFolder other;
    const auto here = open();
    const auto there = std::move(open_database(other.path()).value());

    ASSERT_TRUE(check_store(*here));

    EXPECT_EQ(read_int(*here, "SELECT writes FROM store_probe"), 1);
    EXPECT_EQ(read_int(*there, "SELECT writes FROM store_probe"), 0);
}

TEST_F(SqliteDatabaseTest, many_may_open_a_new_folder_at_once) {
    for (int round = 0; round < 30; ++round) {
        const testing::TemporaryFolder fresh;
        std::vector<std::string> errors(4);
        std::barrier start(static_cast<std::ptrdiff_t>(errors.size()));
        std::vector<std::jthread> threads;
        for (std::string& error : errors) {
            threads.emplace_back([&fresh, &start, &error] {
                start.arrive_and_wait();
                const auto database = open_database(fresh.path());
                const auto checked = database ? check_store(**database) : std::unexpected(database.error());
                error = checked ? "" : checked.error().message;
            });
        }
        threads.clear();

        EXPECT_EQ(errors, std::vector<std::string>(4));
        EXPECT_EQ(read_int(**open_database(fresh.path()), "SELECT writes FROM store_probe"), 4);
    }
}

}  // namespace
}  // namespace storage
