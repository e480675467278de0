// What runs recorded, in SQLite.
#pragma once

#include "models/run_facts.hpp"
#include "storage/sqlite_database.hpp"

namespace storage {

// Safe from any thread; the database, of the main schema, must outlive it. Nothing here is acknowledged to anybody, so
// a connection of its own need not wait for the disk (Synchronous::normal).
class SqliteRunFacts final : public models::RunFactsStore {
public:
    explicit SqliteRunFacts(SqliteDatabase& database, std::int64_t max_runs = kMaxRuns)
        : database_(database), max_runs_(max_runs) {}

    base::Result<std::optional<models::RunFacts>> find(const std::string& run_id) override;
    base::Result<void> put(const models::RunFacts& facts) override;

private:
    SqliteDatabase& database_;
    const std::int64_t max_runs_;
};

}  // namespace storage
