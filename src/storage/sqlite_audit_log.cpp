#include "storage/sqlite_audit_log.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "storage/sqlite_time.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

namespace storage {

void insert_audit_entry(SQLite::Database& connection, const auth::AuditEntry& entry) {
    SQLite::Statement insert(connection,
                             "INSERT INTO audit_log (at, actor, action, target, detail) VALUES (?, ?, ?, ?, ?)");
    insert.bind(1, to_microseconds(entry.at));
    insert.bind(2, entry.actor);
    insert.bind(3, entry.action);
    insert.bind(4, entry.target);
    insert.bind(5, entry.detail);
    insert.exec();
}

base::Result<void> SqliteAuditLog::append(const auth::AuditEntry& entry) {
    return database_.transaction([&entry](SQLite::Database& connection) -> base::Result<void> {
        insert_audit_entry(connection, entry);
        return {};
    });
}

base::Result<std::vector<auth::AuditEntry>> SqliteAuditLog::latest(std::size_t limit) {
    return database_.read([limit](SQLite::Database& connection) -> base::Result<std::vector<auth::AuditEntry>> {
        constexpr auto kAll = static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());
        SQLite::Statement select(
            connection, "SELECT at, actor, action, target, detail FROM audit_log ORDER BY sequence DESC LIMIT ?");
        select.bind(1, static_cast<std::int64_t>(std::min(limit, kAll)));
        std::vector<auth::AuditEntry> entries;
        while (select.executeStep()) {
            entries.push_back({from_microseconds(select.getColumn(0).getInt64()),
                               select.getColumn(1).getString(),
                               select.getColumn(2).getString(),
                               select.getColumn(3).getString(),
                               select.getColumn(4).getString()});
        }
        return entries;
    });
}

}  // namespace storage
