// The registry in a SQLite database: the main one, or the replica's.
//
//   auto store = storage::SqliteRegistryStore::open(*storage::open_database(data_dir));
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "registry/store.hpp"
#include "storage/sqlite_database.hpp"
#include "storage/statement_cache.hpp"

namespace storage {

// Safe from any thread; calls block. Reads have connections of their own, so they wait for no write, and one long
// search does not hold up the others.
class SqliteRegistryStore final : public registry::Store {
public:
    // `writer` comes from open_database or open_replica_database. Opens `readers` more connections to its file.
    static base::Result<std::unique_ptr<SqliteRegistryStore>> open(std::unique_ptr<SqliteDatabase> writer,
                                                                   std::size_t readers = 2);

    base::Result<void> read(const std::function<base::Result<void>(registry::Reader&)>& work) override;
    base::Result<void> write(const std::function<base::Result<void>(registry::Writer&)>& work) override;

private:
    struct Connection {
        std::unique_ptr<SqliteDatabase> database;
        StatementCache statements = StatementCache();
    };

    // A reader for as long as it lives.
    class Lease;

    explicit SqliteRegistryStore(std::unique_ptr<SqliteDatabase> writer) : writer_{std::move(writer)} {}

    Connection writer_;
    std::vector<std::unique_ptr<Connection>> readers_;
    std::mutex mutex_;
    std::condition_variable returned_;
    std::vector<Connection*> idle_;  // guarded by mutex_
};

}  // namespace storage
