#include "storage/sqlite_alias_history.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "storage/sqlite_errors.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

namespace storage {

namespace {

using registry::AliasChange;
using registry::ModelKey;

// What `work` gives; SQLite's exceptions as errors.
template <class Work>
auto guarded(const std::string& file, Work work) -> decltype(work()) {
    try {
        return work();
    } catch (const SQLite::Exception& exception) {
        return std::unexpected(to_error(exception, file));
    }
}

void bind_version(SQLite::Statement& statement, int position, const std::optional<std::int64_t>& version) {
    if (version) {
        statement.bind(position, *version);
    } else {
        statement.bind(position);
    }
}

std::optional<std::int64_t> version_column(const SQLite::Column& column) {
    return column.isNull() ? std::nullopt : std::optional(column.getInt64());
}

std::int64_t to_limit(std::size_t limit) {
    constexpr auto kAll = static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());
    return static_cast<std::int64_t>(std::min(limit, kAll));
}

// What an event or a source of a newer program says is nothing this one knows.
AliasChange change_row(SQLite::Statement& row, const ModelKey& model) {
    AliasChange change;
    change.sequence = row.getColumn(0).getInt64();
    change.at = row.getColumn(1).getInt64();
    change.model = model;
    change.alias = row.getColumn(2).getString();
    change.from = version_column(row.getColumn(3));
    change.to = version_column(row.getColumn(4));
    change.event = registry::parse_alias_event(row.getColumn(5).getString()).value_or(registry::AliasEvent::set);
    change.source =
        registry::parse_change_source(row.getColumn(6).getString()).value_or(registry::ChangeSource::start_up);
    change.author = {row.getColumn(7).getString(), row.getColumn(8).getString()};
    change.other_name = row.getColumn(9).getString();
    return change;
}

}  // namespace

base::Result<void> AliasHistoryTransaction::append(const std::vector<AliasChange>& changes) {
    return guarded(file_, [&]() -> base::Result<void> {
        std::set<ModelKey> models;
        for (const AliasChange& change : changes) {
            insert(change);
            put_last_seen(change);
            models.insert(change.model);
        }
        for (const ModelKey& model : models) {
            forget_beyond_bounds(model);
        }
        return {};
    });
}

void AliasHistoryTransaction::insert(const AliasChange& change) {
    SQLite::Statement insert(connection_,
                             "INSERT INTO alias_changes (registry, workspace, model, at, alias, from_version,"
                             " to_version, event, source, key_id, key_name, other_name)"
                             " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(1, registry_);
    insert.bind(2, change.model.workspace);
    insert.bind(3, change.model.name);
    insert.bind(4, change.at);
    insert.bind(5, change.alias);
    bind_version(insert, 6, change.from);
    bind_version(insert, 7, change.to);
    insert.bind(8, std::string(registry::to_string(change.event)));
    insert.bind(9, std::string(registry::to_string(change.source)));
    insert.bind(10, change.author.key_id);
    insert.bind(11, change.author.key_name);
    insert.bind(12, change.other_name);
    insert.exec();
}

void AliasHistoryTransaction::put_last_seen(const AliasChange& change) {
    SQLite::Statement put(connection_,
                          change.to ? "INSERT INTO aliases_last_seen (registry, workspace, model, alias, version)"
                                      " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version"
                                    : "DELETE FROM aliases_last_seen"
                                      " WHERE registry = ? AND workspace = ? AND model = ? AND alias = ?");
    put.bind(1, registry_);
    put.bind(2, change.model.workspace);
    put.bind(3, change.model.name);
    put.bind(4, change.alias);
    if (change.to) {
        put.bind(5, *change.to);
    }
    put.exec();
}

void AliasHistoryTransaction::forget_beyond_bounds(const ModelKey& model) {
    SQLite::Statement of_model(connection_,
                               "DELETE FROM alias_changes WHERE registry = ?1 AND workspace = ?2 AND model = ?3"
                               " AND sequence <= (SELECT sequence FROM alias_changes"
                               " WHERE registry = ?1 AND workspace = ?2 AND model = ?3"
                               " ORDER BY sequence DESC LIMIT 1 OFFSET ?4)");
    of_model.bind(1, registry_);
    of_model.bind(2, model.workspace);
    of_model.bind(3, model.name);
    of_model.bind(4, kMaxChangesOfModel);
    of_model.exec();
    SQLite::Statement of_all(connection_,
                             "DELETE FROM alias_changes"
                             " WHERE sequence <= (SELECT max(sequence) FROM alias_changes) - ?");
    of_all.bind(1, kMaxChanges);
    of_all.exec();
}

base::Result<std::vector<AliasChange>> AliasHistoryTransaction::changes(const ModelKey& model, std::size_t limit) {
    return guarded(file_, [&]() -> base::Result<std::vector<AliasChange>> {
        SQLite::Statement select(connection_,
                                 "SELECT sequence, at, alias, from_version, to_version, event, source, key_id,"
                                 " key_name, other_name FROM alias_changes"
                                 " WHERE registry = ? AND workspace = ? AND model = ? ORDER BY sequence DESC LIMIT ?");
        select.bind(1, registry_);
        select.bind(2, model.workspace);
        select.bind(3, model.name);
        select.bind(4, to_limit(limit));
        std::vector<AliasChange> changes;
        while (select.executeStep()) {
            changes.push_back(change_row(select, model));
        }
        return changes;
    });
}

base::Result<std::vector<registry::Alias>> AliasHistoryTransaction::last_seen(const ModelKey& model) {
    return guarded(file_, [&]() -> base::Result<std::vector<registry::Alias>> {
        SQLite::Statement select(connection_,
                                 "SELECT alias, version FROM aliases_last_seen"
                                 " WHERE registry = ? AND workspace = ? AND model = ? ORDER BY alias");
        select.bind(1, registry_);
        select.bind(2, model.workspace);
        select.bind(3, model.name);
        std::vector<registry::Alias> aliases;
        while (select.executeStep()) {
            aliases.push_back({select.getColumn(0).getString(), select.getColumn(1).getInt64()});
        }
        return aliases;
    });
}

base::Result<std::vector<ModelKey>> AliasHistoryTransaction::models(const std::optional<ModelKey>& after,
                                                                    std::size_t limit) {
    return guarded(file_, [&]() -> base::Result<std::vector<ModelKey>> {
        const ModelKey start = after.value_or(ModelKey());  // before any: a name is never empty
        SQLite::Statement select(
            connection_,
            "SELECT DISTINCT workspace, model FROM aliases_last_seen"
            " WHERE registry = ? AND (workspace, model) > (?, ?) ORDER BY workspace, model LIMIT ?");
        select.bind(1, registry_);
        select.bind(2, start.workspace);
        select.bind(3, start.name);
        select.bind(4, to_limit(limit));
        std::vector<ModelKey> keys;
        while (select.executeStep()) {
            keys.push_back({select.getColumn(0).getString(), select.getColumn(1).getString()});
        }
        return keys;
    });
}

AliasHistoryTransaction SqliteAliasHistory::within(SQLite::Database& connection) const {
    return {connection, registry_, database_->file().string()};
}

base::Result<void> SqliteAliasHistory::append(const std::vector<AliasChange>& changes) {
    return database_->transaction([&](SQLite::Database& connection) { return within(connection).append(changes); });
}

base::Result<std::vector<AliasChange>> SqliteAliasHistory::changes(const ModelKey& model, std::size_t limit) {
    return database_->read([&](SQLite::Database& connection) { return within(connection).changes(model, limit); });
}

base::Result<std::vector<registry::Alias>> SqliteAliasHistory::last_seen(const ModelKey& model) {
    return database_->read([&](SQLite::Database& connection) { return within(connection).last_seen(model); });
}

base::Result<std::vector<ModelKey>> SqliteAliasHistory::models(const std::optional<ModelKey>& after,
                                                               std::size_t limit) {
    return database_->read([&](SQLite::Database& connection) { return within(connection).models(after, limit); });
}

}  // namespace storage
