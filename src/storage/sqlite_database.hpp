// One connection to a SQLite database, with the settings durability needs: WAL, foreign keys on, synchronous.
//
//   auto database = storage::open_database(data_dir);
//   base::Result<int> count = (*database)->transaction([](SQLite::Database& db) -> base::Result<int> { ... });
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "base/error.hpp"

namespace SQLite {
class Database;
}

namespace storage {

// How long a statement waits for other connections. Enough for any transaction of ours on a healthy disk.
inline constexpr std::chrono::milliseconds kBusyTimeout{1000};

// When a commit waits for the disk: always, or only as often as it takes to keep the file whole, so that a power
// failure may take back the last ones.
enum class Synchronous { full, normal };

// Safe from any thread: calls take turns, and may block on the disk and, up to the busy timeout, on other connections;
// so call on blocking threads only. Users that must not wait for each other open a connection each.
class SqliteDatabase {
public:
    // Creates the file, readable for its owner only, when there is none. The folder must exist.
    static base::Result<std::unique_ptr<SqliteDatabase>> open(const std::filesystem::path& file,
                                                              std::chrono::milliseconds busy_timeout = kBusyTimeout,
                                                              Synchronous synchronous = Synchronous::full);

    ~SqliteDatabase();
    SqliteDatabase(const SqliteDatabase&) = delete;
    SqliteDatabase& operator=(const SqliteDatabase&) = delete;

    // Runs `work(SQLite::Database&)`, which gives a base::Result, inside BEGIN IMMEDIATE. What it wrote is durable when
    // this returns a value; nothing of it remains when `work` or the commit fails.
    template <class Work>
    auto transaction(Work work) -> std::invoke_result_t<Work&, SQLite::Database&> {
        return run(Mode::write, work);
    }

    // The same for any number of statements that only read: all of them see one state.
    template <class Work>
    auto snapshot(Work work) -> std::invoke_result_t<Work&, SQLite::Database&> {
        return run(Mode::snapshot, work);
    }

    // Runs `work` outside a transaction: for one statement that only reads.
    template <class Work>
    auto read(Work work) -> std::invoke_result_t<Work&, SQLite::Database&> {
        return run(Mode::single, work);
    }

    [[nodiscard]] const std::filesystem::path& file() const {
        return file_;
    }

private:
    enum class Mode { single, snapshot, write };
    using Step = std::function<base::Result<void>(SQLite::Database&)>;

    SqliteDatabase(std::filesystem::path file, std::unique_ptr<SQLite::Database> connection);

    base::Result<void> execute(Mode mode, const Step& step);

    template <class Work>
    auto run(Mode mode, Work& work) -> std::invoke_result_t<Work&, SQLite::Database&> {
        std::optional<std::invoke_result_t<Work&, SQLite::Database&>> result;
        base::Result<void> outcome = execute(mode, [&](SQLite::Database& connection) -> base::Result<void> {
            result.emplace(work(connection));
            if (!*result) {
                return std::unexpected(result->error());
            }
            return {};
        });
        if (!outcome) {
            return std::unexpected(std::move(outcome.error()));
        }
        return std::move(*result);
    }

    std::filesystem::path file_;
    std::mutex mutex_;  // guards connection_
    std::unique_ptr<SQLite::Database> connection_;
};

// The path of the database in a data folder.
std::filesystem::path database_file(const std::filesystem::path& data_dir);

// Opens the database of a data folder, or `file` where it is given, creating both and bringing the schema up to date.
// Several processes may do so at once. unsupported when a newer version of this program has written it.
base::Result<std::unique_ptr<SqliteDatabase>> open_database(const std::filesystem::path& data_dir,
                                                            const std::filesystem::path& file = {});

// The path of the replica's database in a data folder.
std::filesystem::path replica_file(const std::filesystem::path& data_dir);

// As open_database, for the replica: a copy, which may be removed while nobody has it open. The last writes before a
// power failure may be missing from it.
base::Result<std::unique_ptr<SqliteDatabase>> open_replica_database(const std::filesystem::path& data_dir);

// The path of the journal's database in a data folder.
std::filesystem::path journal_file(const std::filesystem::path& data_dir);

// As open_database, for the journal.
base::Result<std::unique_ptr<SqliteDatabase>> open_journal_database(const std::filesystem::path& data_dir);

// The same for what is known of the artifacts kept beside it.
std::filesystem::path artifact_file(const std::filesystem::path& data_dir);
base::Result<std::unique_ptr<SqliteDatabase>> open_artifact_database(const std::filesystem::path& data_dir);

// Proves that a write becomes durable, by making a small one. Give it a connection of its own with a short busy
// timeout. Also fails when the file was moved or deleted under the running service, whose writes would be lost.
base::Result<void> check_store(SqliteDatabase& database);

}  // namespace storage
