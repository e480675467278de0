#include "storage/sqlite_run_facts.hpp"

#include <string>
#include <utility>

#include "storage/sqlite_time.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

namespace storage {

base::Result<std::optional<models::RunFacts>> SqliteRunFacts::find(const std::string& run_id) {
    return database_.read([&](SQLite::Database& connection) -> base::Result<std::optional<models::RunFacts>> {
        SQLite::Statement select(connection, "SELECT facts, read_at FROM run_facts WHERE run_id = ?");
        select.bind(1, run_id);
        if (!select.executeStep()) {
            return std::nullopt;
        }
        base::Result<models::RunFacts> facts =
            models::facts_from_text(select.getColumn(0).getString(), from_microseconds(select.getColumn(1).getInt64()));
        if (!facts) {
            return std::unexpected(facts.error());
        }
        return std::move(*facts);
    });
}

base::Result<void> SqliteRunFacts::put(const models::RunFacts& facts) {
    const std::string text = models::to_text(facts);
    return database_.transaction([&](SQLite::Database& connection) -> base::Result<void> {
        if (text.size() > kMaxBytes) {
            // What is kept from before would be taken for the last known.
            SQLite::Statement forget(connection, "DELETE FROM run_facts WHERE run_id = ?");
            forget.bind(1, facts.run_id);
            forget.exec();
            return {};
        }
        SQLite::Statement put(connection,
                              "INSERT INTO run_facts (run_id, facts, read_at) VALUES (?, ?, ?) "
                              "ON CONFLICT (run_id) DO UPDATE SET facts = excluded.facts, read_at = excluded.read_at");
        put.bind(1, facts.run_id);
        put.bind(2, text);
        put.bind(3, to_microseconds(facts.read_at));
        put.exec();
        SQLite::Statement count(connection, "SELECT count(*) FROM run_facts");
        count.executeStep();
        const std::int64_t surplus = count.getColumn(0).getInt64() - max_runs_;
        if (surplus > 0) {
            SQLite::Statement forget(
                connection,
                "DELETE FROM run_facts WHERE run_id IN (SELECT run_id FROM run_facts ORDER BY read_at LIMIT ?)");
            forget.bind(1, surplus);
            forget.exec();
        }
        return {};
    });
}

}  // namespace storage
