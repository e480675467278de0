#include "storage/sqlite_database.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sqlite3.h>
#include <system_error>

#include "storage/data_directory.hpp"
#include "storage/file_descriptor.hpp"
#include "storage/migrations.hpp"
#include "storage/sqlite_errors.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

namespace storage {

namespace {

// Of a million model versions, the inner pages of every index and the rows of the models fit into 64 MiB. What is never
// read takes no memory.
constexpr const char* kCacheSize = "PRAGMA cache_size=-65536";

// SQLite would create the file with the mode of the umask; its -wal and -shm files take over the mode of the main file.
//
// A file that exists is not touched: closing any descriptor of it would drop the POSIX locks of our other connections.
base::Result<void> create_private_file(const std::filesystem::path& file) {
    const FileDescriptor created(::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!created.is_open() && errno != EEXIST) {
        return base::fail(base::Code::unavailable,
                          fmt::format("can't create {}: {}", file.string(), std::generic_category().message(errno)));
    }
    return {};
}

base::Result<std::unique_ptr<SqliteDatabase>> open_and_migrate(const std::filesystem::path& data_dir,
                                                               const std::filesystem::path& file,
                                                               Schema schema,
                                                               Synchronous synchronous) {
    // Switching a new file to WAL fails at once, whatever the busy timeout, while another process does the same.
    base::Result<FileDescriptor> turn = create_and_lock_directory(data_dir);
    if (!turn) {
        return std::unexpected(std::move(turn.error()));
    }
    base::Result<std::unique_ptr<SqliteDatabase>> database = SqliteDatabase::open(file, kBusyTimeout, synchronous);
    if (!database) {
        return database;
    }
    if (base::Result<void> migrated = migrate(**database, schema); !migrated) {
        return std::unexpected(std::move(migrated.error()));
    }
    return database;
}

}  // namespace

base::Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::open(const std::filesystem::path& file,
                                                                   std::chrono::milliseconds busy_timeout,
                                                                   Synchronous synchronous) {
    if (base::Result<void> created = create_private_file(file); !created) {
        return std::unexpected(std::move(created.error()));
    }
    try {
        // NOMUTEX, because mutex_ is ours.
        auto connection = std::make_unique<SQLite::Database>(
            file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX, static_cast<int>(busy_timeout.count()));
        connection->exec("PRAGMA journal_mode=WAL");
        connection->exec(synchronous == Synchronous::full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
        connection->exec("PRAGMA foreign_keys=ON");
        connection->exec(kCacheSize);
        return std::unique_ptr<SqliteDatabase>(new SqliteDatabase(file, std::move(connection)));
    } catch (const SQLite::Exception& exception) {
        return std::unexpected(to_error(exception, file.string()));
    }
}

SqliteDatabase::SqliteDatabase(std::filesystem::path file, std::unique_ptr<SQLite::Database> connection)
    : file_(std::move(file)), connection_(std::move(connection)) {}

SqliteDatabase::~SqliteDatabase() = default;

base::Result<void> SqliteDatabase::execute(Mode mode, const Step& step) {
    const std::lock_guard lock(mutex_);
    try {
        if (mode == Mode::single) {
            return step(*connection_);
        }
        SQLite::Transaction transaction(
            *connection_,
            mode == Mode::write ? SQLite::TransactionBehavior::IMMEDIATE : SQLite::TransactionBehavior::DEFERRED);
        base::Result<void> done = step(*connection_);
        if (done) {
            transaction.commit();
        }
        return done;  // without commit(), leaving the scope rolls back
    } catch (const SQLite::Exception& exception) {
        return std::unexpected(to_error(exception, file_.string()));
    }
}

std::filesystem::path database_file(const std::filesystem::path& data_dir) {
    return data_dir / "hokusai.db";
}

base::Result<std::unique_ptr<SqliteDatabase>> open_database(const std::filesystem::path& data_dir,
                                                            const std::filesystem::path& file) {
    return open_and_migrate(data_dir, file.empty() ? database_file(data_dir) : file, Schema::main, Synchronous::full);
}

std::filesystem::path replica_file(const std::filesystem::path& data_dir) {
    return data_dir / "replica.db";
}

base::Result<std::unique_ptr<SqliteDatabase>> open_replica_database(const std::filesystem::path& data_dir) {
    return open_and_migrate(data_dir, replica_file(data_dir), Schema::replica, Synchronous::normal);
}

std::filesystem::path journal_file(const std::filesystem::path& data_dir) {
    return data_dir / "journal.db";
}

base::Result<std::unique_ptr<SqliteDatabase>> open_journal_database(const std::filesystem::path& data_dir) {
    return open_and_migrate(data_dir, journal_file(data_dir), Schema::journal, Synchronous::full);
}

std::filesystem::path artifact_file(const std::filesystem::path& data_dir) {
    return data_dir / "artifacts.db";
}

base::Result<std::unique_ptr<SqliteDatabase>> open_artifact_database(const std::filesystem::path& data_dir) {
    return open_and_migrate(data_dir, artifact_file(data_dir), Schema::artifacts, Synchronous::normal);
}

base::Result<void> check_store(SqliteDatabase& database) {
    return database.transaction([&database](SQLite::Database& connection) -> base::Result<void> {
        int has_moved = 0;
        if (::sqlite3_file_control(connection.getHandle(), "main", SQLITE_FCNTL_HAS_MOVED, &has_moved) == SQLITE_OK &&
            has_moved != 0) {
            return base::fail(base::Code::data_loss,
                              fmt::format("{} was moved or deleted while in use: put it back and restart the service",
                                          database.file().string()));
        }
        connection.exec("UPDATE store_probe SET writes = writes + 1");
        return {};
    });
}

}  // namespace storage
