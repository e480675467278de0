#include "storage/sqlite_version_loads.hpp"

#include <cstdint>

#include <SQLiteCpp/SQLiteCpp.h>

namespace storage {

base::Result<void> SqliteVersionLoads::put(const std::vector<registry::VersionLoad>& loads) {
    return database_->transaction([&](SQLite::Database& connection) -> base::Result<void> {
        SQLite::Statement insert(connection,
                                 "INSERT INTO version_loads (registry, workspace, model, version, key_id, key_name, at)"
                                 " VALUES (?, ?, ?, ?, ?, ?, ?)"
                                 " ON CONFLICT DO UPDATE SET key_name = excluded.key_name, at = excluded.at");
        for (const registry::VersionLoad& load : loads) {
            insert.bind(1, registry_);
            insert.bind(2, load.model.workspace);
            insert.bind(3, load.model.name);
            insert.bind(4, load.version);
            insert.bind(5, load.by.key_id);
            insert.bind(6, load.by.key_name);
            insert.bind(7, load.at);
            insert.exec();
            insert.reset();
        }
        SQLite::Statement forget(connection,
                                 "DELETE FROM version_loads WHERE at <"
                                 " (SELECT at FROM version_loads ORDER BY at DESC LIMIT 1 OFFSET ?)");
        forget.bind(1, static_cast<std::int64_t>(registry::VersionLoads::kCapacity) - 1);
        forget.exec();
        return {};
    });
}

base::Result<std::vector<registry::VersionLoad>> SqliteVersionLoads::all() {
    return database_->read([&](SQLite::Database& connection) -> base::Result<std::vector<registry::VersionLoad>> {
        SQLite::Statement select(connection,
                                 "SELECT workspace, model, version, key_id, key_name, at FROM version_loads"
                                 " WHERE registry = ?");
        select.bind(1, registry_);
        std::vector<registry::VersionLoad> loads;
        while (select.executeStep()) {
            loads.push_back({{select.getColumn(0).getString(), select.getColumn(1).getString()},
                             select.getColumn(2).getInt64(),
                             {select.getColumn(3).getString(), select.getColumn(4).getString()},
                             select.getColumn(5).getInt64()});
        }
        return loads;
    });
}

}  // namespace storage
