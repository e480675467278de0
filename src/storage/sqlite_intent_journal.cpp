#include "storage/sqlite_intent_journal.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "storage/sqlite_time.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

namespace storage {

namespace {

using idempotency::Begun;
using idempotency::Change;
using idempotency::Intent;
using idempotency::Record;

constexpr std::string_view kColumns =
    "identity, request, has_key, principal, route, kind, workspace, model, arguments, highest_version, model_created, "
    "begun_at";
constexpr int kMostListed = 8;  // unsettled ones of one model
constexpr int kForgottenAtOnce = 500;

void bind_digest(SQLite::Statement& statement, int index, const idempotency::Digest& digest) {
    statement.bind(index, digest.data(), static_cast<int>(digest.size()));
}

idempotency::Digest digest_column(const SQLite::Column& column) {
    idempotency::Digest digest{};
    std::copy_n(static_cast<const unsigned char*>(column.getBlob()),
                std::min(static_cast<std::size_t>(column.getBytes()), digest.size()),
                digest.begin());
    return digest;
}

// id, status, body, then kColumns.
Record record_row(SQLite::Statement& row) {
    Record record;
    record.id = row.getColumn(0).getInt64();
    if (!row.getColumn(1).isNull()) {
        const SQLite::Column body = row.getColumn(2);
        record.answer = {
            row.getColumn(1).getUInt(),
            std::string(static_cast<const char*>(body.getBlob()), static_cast<std::size_t>(body.getBytes()))};
    }
    Intent& intent = record.intent;
    intent.identity = digest_column(row.getColumn(3));
    intent.request = digest_column(row.getColumn(4));
    intent.has_key = row.getColumn(5).getInt() != 0;
    intent.principal = row.getColumn(6).getString();
    intent.route = row.getColumn(7).getString();
    intent.kind = static_cast<idempotency::Kind>(row.getColumn(8).getInt());
    intent.model = {row.getColumn(9).getString(), row.getColumn(10).getString()};
    intent.arguments = row.getColumn(11).getString();
    if (!row.getColumn(12).isNull()) {
        intent.baseline = {row.getColumn(12).getInt64(), row.getColumn(13).getInt64()};
    }
    intent.begun_at = from_microseconds(row.getColumn(14).getInt64());
    return record;
}

void make(SQLite::Database& connection, std::span<const Change> changes) {
    if (changes.empty()) {
        return;
    }
    SQLite::Statement forget(connection, "DELETE FROM intents WHERE id = ?");
    SQLite::Statement settle(connection,
                             "UPDATE intents SET status = ?, body = ?, expires_at = ?, arguments = '' WHERE id = ?");
    for (const Change& change : changes) {
        if (change.answer) {
            settle.bind(1, change.answer->status);
            settle.bind(2, change.answer->body.data(), static_cast<int>(change.answer->body.size()));
            settle.bind(3, to_microseconds(change.expires_at));
            settle.bind(4, change.id);
            settle.exec();
            settle.reset();
        } else {
            forget.bind(1, change.id);
            forget.exec();
            forget.reset();
        }
    }
}

std::optional<Record> find_same(SQLite::Database& connection, const Intent& intent, base::WallTime now) {
    SQLite::Statement select(
        connection, fmt::format("SELECT id, status, body, {}, expires_at FROM intents WHERE identity = ?", kColumns));
    bind_digest(select, 1, intent.identity);
    if (!select.executeStep()) {
        return std::nullopt;
    }
    Record record = record_row(select);
    if (select.getColumn(15).getInt64() > to_microseconds(now)) {
        return record;
    }
    const std::array expired{Change{.id = record.id, .answer = {}, .expires_at = {}}};
    select.reset();
    make(connection, expired);
    return std::nullopt;
}

std::vector<Record> find_unsettled(SQLite::Database& connection, const Intent& intent, base::WallTime now) {
    std::vector<Record> records;
    if (intent.kind == idempotency::Kind::keyed_call) {
        return records;
    }
    SQLite::Statement select(
        connection,
        fmt::format("SELECT id, status, body, {} FROM intents WHERE status IS NULL AND workspace = ? "
                    "AND model = ? AND highest_version IS NOT NULL AND expires_at > ? "
                    "ORDER BY id LIMIT {}",
                    kColumns,
                    kMostListed));
    select.bind(1, intent.model.workspace);
    select.bind(2, intent.model.name);
    select.bind(3, to_microseconds(now));
    while (select.executeStep()) {
        records.push_back(record_row(select));
    }
    return records;
}

std::int64_t record(SQLite::Database& connection, const Intent& intent, base::WallTime expires_at) {
    SQLite::Statement insert(
        connection,
        fmt::format("INSERT INTO intents ({}, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                    "?, ?)",
                    kColumns));
    bind_digest(insert, 1, intent.identity);
    bind_digest(insert, 2, intent.request);
    insert.bind(3, intent.has_key ? 1 : 0);
    insert.bind(4, intent.principal);
    insert.bind(5, intent.route);
    insert.bind(6, static_cast<int>(intent.kind));
    insert.bind(7, intent.model.workspace);
    insert.bind(8, intent.model.name);
    insert.bind(9, intent.arguments);
    if (intent.baseline) {
        insert.bind(10, intent.baseline->highest_version);
        insert.bind(11, intent.baseline->model_created);
    }
    insert.bind(12, to_microseconds(intent.begun_at));
    insert.bind(13, to_microseconds(expires_at));
    insert.exec();
    return connection.getLastInsertRowid();
}

bool is_full(SQLite::Database& connection, std::size_t limit) {
    SQLite::Statement count(connection, "SELECT count(*) FROM (SELECT 1 FROM intents WHERE status IS NULL LIMIT ?)");
    count.bind(1, static_cast<std::int64_t>(limit));
    count.executeStep();
    return static_cast<std::size_t>(count.getColumn(0).getInt64()) >= limit;
}

}  // namespace

base::Result<Begun> SqliteIntentJournal::begin(const Intent& intent,
                                               bool may_record,
                                               std::span<const Change> changes,
                                               base::WallTime now) {
    return database_.transaction([&](SQLite::Database& connection) -> base::Result<Begun> {
        make(connection, changes);
        Begun begun;
        begun.same = find_same(connection, intent, now);
        begun.unsettled = find_unsettled(connection, intent, now);
        if (begun.same || !begun.unsettled.empty() || !may_record) {
            return begun;
        }
        if (is_full(connection, limits_.unsettled)) {
            return base::fail(base::Code::exhausted, "too many calls wait for MLflow to say what became of them");
        }
        begun.id = record(
            connection, intent, now + std::chrono::duration_cast<base::WallTime::duration>(limits_.unsettled_age));
        return begun;
    });
}

base::Result<void> SqliteIntentJournal::apply(std::span<const Change> changes, base::WallTime now) {
    return database_.transaction([&](SQLite::Database& connection) -> base::Result<void> {
        make(connection, changes);
        SQLite::Statement expired(connection,
                                  "DELETE FROM intents WHERE id IN (SELECT id FROM intents WHERE expires_at <= ? "
                                  "LIMIT ?)");
        expired.bind(1, to_microseconds(now));
        expired.bind(2, kForgottenAtOnce);
        expired.exec();
        SQLite::Statement too_many(connection,
                                   "DELETE FROM intents WHERE id IN (SELECT id FROM intents WHERE has_key = 1 AND "
                                   "status IS NOT NULL ORDER BY id DESC LIMIT ? OFFSET ?)");
        too_many.bind(1, kForgottenAtOnce);
        too_many.bind(2, static_cast<std::int64_t>(limits_.with_key));
        too_many.exec();
        return {};
    });
}

base::Result<std::vector<Record>> SqliteIntentJournal::list_unsettled(base::WallTime now) {
    return database_.read([now](SQLite::Database& connection) -> base::Result<std::vector<Record>> {
        SQLite::Statement select(connection,
                                 fmt::format("SELECT id, status, body, {} FROM intents WHERE status IS NULL AND "
                                             "expires_at > ? ORDER BY id",
                                             kColumns));
        select.bind(1, to_microseconds(now));
        std::vector<Record> records;
        while (select.executeStep()) {
            records.push_back(record_row(select));
        }
        return records;
    });
}

}  // namespace storage
