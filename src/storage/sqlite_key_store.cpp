#include "storage/sqlite_key_store.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/strings.hpp"
#include "storage/sqlite_audit_log.hpp"
#include "storage/sqlite_time.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

namespace storage {

namespace {

constexpr std::string_view kKeyColumns =
    "id, name, prefix, hash, pepper_version, scopes, created_at, expires_at, last_used_at, revoked_at";

std::optional<base::WallTime> time_column(const SQLite::Column& column) {
    return column.isNull() ? std::nullopt : std::optional(from_microseconds(column.getInt64()));
}

// Scopes this program does not know grant nothing; they must not cost the key the others.
auth::Scopes scopes_column(const SQLite::Column& column) {
    auth::Scopes scopes;
    const std::string text = column.getString();
    for (const std::string_view name : base::split_list(text, ',')) {
        scopes.add(auth::parse_scope(name).value_or(auth::Scopes()));
    }
    return scopes;
}

auth::KeyRecord key_row(SQLite::Statement& row) {
    auth::KeyRecord record;
    record.id = row.getColumn(0).getString();
    record.name = row.getColumn(1).getString();
    record.prefix = row.getColumn(2).getString();
    const SQLite::Column hash = row.getColumn(3);
    std::copy_n(static_cast<const unsigned char*>(hash.getBlob()),
                std::min(static_cast<std::size_t>(hash.getBytes()), record.hash.size()),
                record.hash.begin());
    record.pepper_version = row.getColumn(4).getUInt();
    record.scopes = scopes_column(row.getColumn(5));
    record.created_at = from_microseconds(row.getColumn(6).getInt64());
    record.expires_at = time_column(row.getColumn(7));
    record.last_used_at = time_column(row.getColumn(8));
    record.revoked_at = time_column(row.getColumn(9));
    return record;
}

void bind_time(SQLite::Statement& statement, int index, std::optional<base::WallTime> time) {
    if (time) {
        statement.bind(index, to_microseconds(*time));
    } else {
        statement.bind(index);
    }
}

void bind_hash(SQLite::Statement& statement, int index, const auth::KeyHash& hash) {
    statement.bind(index, hash.data(), static_cast<int>(hash.size()));
}

std::optional<auth::KeyRecord> find_key_row(SQLite::Database& connection, std::string_view id) {
    SQLite::Statement select(connection, fmt::format("SELECT {} FROM api_keys WHERE id = ?", kKeyColumns));
    select.bind(1, std::string(id));
    return select.executeStep() ? std::optional(key_row(select)) : std::nullopt;
}

}  // namespace

base::Result<std::vector<auth::KeyRecord>> SqliteKeyStore::load_all() {
    return database_.read([](SQLite::Database& connection) -> base::Result<std::vector<auth::KeyRecord>> {
        SQLite::Statement select(connection, fmt::format("SELECT {} FROM api_keys ORDER BY rowid", kKeyColumns));
        std::vector<auth::KeyRecord> records;
        while (select.executeStep()) {
            records.push_back(key_row(select));
        }
        return records;
    });
}

base::Result<void> SqliteKeyStore::insert(const auth::KeyRecord& record, const auth::AuditEntry& entry) {
    base::Result<void> inserted = database_.transaction([&](SQLite::Database& connection) -> base::Result<void> {
        SQLite::Statement insert(
            connection, fmt::format("INSERT INTO api_keys ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", kKeyColumns));
        insert.bind(1, record.id);
        insert.bind(2, record.name);
        insert.bind(3, record.prefix);
        bind_hash(insert, 4, record.hash);
        insert.bind(5, record.pepper_version);
        insert.bind(6, to_string(record.scopes));
        insert.bind(7, to_microseconds(record.created_at));
        bind_time(insert, 8, record.expires_at);
        bind_time(insert, 9, record.last_used_at);
        bind_time(insert, 10, record.revoked_at);
        insert.exec();
        insert_audit_entry(connection, entry);
        return {};
    });
    if (!inserted && inserted.error().code == base::Code::conflict) {
        return base::fail(base::Code::conflict, "this API key is already stored");
    }
    return inserted;
}

base::Result<auth::KeyRecord> SqliteKeyStore::revoke(std::string_view id,
                                                     base::WallTime at,
                                                     const auth::AuditEntry& entry) {
    return database_.transaction([&](SQLite::Database& connection) -> base::Result<auth::KeyRecord> {
        std::optional<auth::KeyRecord> record = find_key_row(connection, id);
        if (!record) {
            return base::fail(base::Code::not_found, "API key not found");
        }
        if (!record->revoked_at) {
            SQLite::Statement update(connection, "UPDATE api_keys SET revoked_at = ? WHERE id = ?");
            update.bind(1, to_microseconds(at));
            update.bind(2, record->id);
            update.exec();
            insert_audit_entry(connection, entry);
            record->revoked_at = at;
        }
        return std::move(*record);
    });
}

base::Result<void> SqliteKeyStore::record_last_used(std::span<const auth::KeyUse> uses) {
    if (uses.empty()) {
        return {};
    }
    return database_.transaction([uses](SQLite::Database& connection) -> base::Result<void> {
        SQLite::Statement update(
            connection, "UPDATE api_keys SET last_used_at = max(coalesce(last_used_at, ?1), ?1) WHERE id = ?2");
        for (const auth::KeyUse& use : uses) {
            update.bind(1, to_microseconds(use.at));
            update.bind(2, use.id);
            update.exec();
            update.reset();
        }
        return {};
    });
}

base::Result<std::uint64_t> SqliteKeyStore::change_counter() {
    return database_.read([](SQLite::Database& connection) -> base::Result<std::uint64_t> {
        return static_cast<std::uint64_t>(connection.execAndGet("SELECT count FROM key_changes").getInt64());
    });
}

base::Result<void> verify_pepper(SqliteDatabase& database, auth::KeyHasher& hasher) {
    const auth::KeyHash expected = hasher.hash("pepper check");
    return database.transaction([&](SQLite::Database& connection) -> base::Result<void> {
        SQLite::Statement select(connection, "SELECT hash = ? FROM pepper_checks WHERE pepper_version = ?");
        bind_hash(select, 1, expected);
        select.bind(2, hasher.pepper_version());
        if (select.executeStep()) {
            if (select.getColumn(0).getInt() == 1) {
                return {};
            }
            return base::fail(
                base::Code::data_loss,
                fmt::format("the pepper beside {} is not the one its API keys were made with, so all of them "
                            "would be refused: restore the pepper file from the same backup as the database",
                            database.file().string()));
        }
        SQLite::Statement insert(connection, "INSERT INTO pepper_checks (pepper_version, hash) VALUES (?, ?)");
        insert.bind(1, hasher.pepper_version());
        bind_hash(insert, 2, expected);
        insert.exec();
        return {};
    });
}

}  // namespace storage
