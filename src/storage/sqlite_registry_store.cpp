#include "storage/sqlite_registry_store.hpp"

#include <utility>

#include "storage/registry_transaction.hpp"

namespace storage {

class SqliteRegistryStore::Lease {
public:
    explicit Lease(SqliteRegistryStore& store) : store_(store) {
        std::unique_lock lock(store_.mutex_);
        store_.returned_.wait(lock, [&] { return !store_.idle_.empty(); });
        reader_ = store_.idle_.back();
        store_.idle_.pop_back();
    }

    ~Lease() {
        {
            const std::lock_guard lock(store_.mutex_);
            store_.idle_.push_back(reader_);
        }
        store_.returned_.notify_one();
    }

    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    Connection* operator->() {
        return reader_;
    }

private:
    SqliteRegistryStore& store_;
    Connection* reader_ = nullptr;
};

base::Result<std::unique_ptr<SqliteRegistryStore>> SqliteRegistryStore::open(std::unique_ptr<SqliteDatabase> writer,
                                                                             std::size_t readers) {
    const std::filesystem::path file = writer->file();
    std::unique_ptr<SqliteRegistryStore> store(new SqliteRegistryStore(std::move(writer)));
    for (std::size_t i = 0; i < readers; ++i) {
        auto database = SqliteDatabase::open(file);
        if (!database) {
            return std::unexpected(std::move(database.error()));
        }
        store->readers_.push_back(std::make_unique<Connection>(std::move(*database)));
        store->idle_.push_back(store->readers_.back().get());
    }
    return store;
}

base::Result<void> SqliteRegistryStore::read(const std::function<base::Result<void>(registry::Reader&)>& work) {
    Lease reader(*this);
    return reader->database->snapshot([&](SQLite::Database& connection) {
        RegistryTransaction transaction(connection, reader->statements, reader->database->file().string());
        return work(transaction);
    });
}

base::Result<void> SqliteRegistryStore::write(const std::function<base::Result<void>(registry::Writer&)>& work) {
    return writer_.database->transaction([&](SQLite::Database& connection) -> base::Result<void> {
        RegistryTransaction transaction(connection, writer_.statements, writer_.database->file().string());
        base::Result<void> done = work(transaction);
        if (done && transaction.failure()) {
            return std::unexpected(*transaction.failure());
        }
        return done;
    });
}

}  // namespace storage
