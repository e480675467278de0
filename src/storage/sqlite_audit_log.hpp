// The audit log in SQLite: a table whose triggers refuse changes.
#pragma once

#include <cstddef>
#include <vector>

#include "auth/key_store.hpp"
#include "storage/sqlite_database.hpp"

namespace storage {

// Safe from any thread; the database must outlive it.
class SqliteAuditLog final : public auth::AuditLog {
public:
    explicit SqliteAuditLog(SqliteDatabase& database) : database_(database) {}

    base::Result<void> append(const auth::AuditEntry& entry) override;
    base::Result<std::vector<auth::AuditEntry>> latest(std::size_t limit) override;

private:
    SqliteDatabase& database_;
};

// Adds an entry inside the transaction of the act it describes. Throws SQLite::Exception.
void insert_audit_entry(SQLite::Database& connection, const auth::AuditEntry& entry);

}  // namespace storage
