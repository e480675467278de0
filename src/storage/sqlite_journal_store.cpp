#include "storage/sqlite_journal_store.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "storage/sqlite_time.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

namespace storage {

namespace {

using journal::Batch;
using journal::Entry;
using journal::Hold;
using journal::KnownLane;
using journal::LaneSummary;
using journal::RejectedEntry;
using journal::Rejection;
using journal::Renumbering;

constexpr const char* kColumns = "sequence, lane, workspace, method, target, body, key_id, accepted_at, bytes, about";
constexpr int kColumnCount = 10;
constexpr std::int64_t kMaxRenumbered = 10'000;

Entry entry_row(SQLite::Statement& row) {
    Entry entry;
    entry.sequence = row.getColumn(0).getInt64();
    entry.lane = row.getColumn(1).getString();
    entry.workspace = row.getColumn(2).getString();
    entry.method = row.getColumn(3).getString();
    entry.target = row.getColumn(4).getString();
    entry.body = row.getColumn(5).getString();
    entry.key_id = row.getColumn(6).getString();
    entry.accepted_at = from_microseconds(row.getColumn(7).getInt64());
    entry.about = row.getColumn(9).getString();
    return entry;
}

void insert_entries(SQLite::Database& connection, std::span<const Entry> entries) {
    SQLite::Statement insert(
        connection, fmt::format("INSERT INTO journal_entries ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", kColumns));
    for (const Entry& entry : entries) {
        insert.bind(1, entry.sequence);
        insert.bindNoCopy(2, entry.lane);
        insert.bindNoCopy(3, entry.workspace);
        insert.bindNoCopy(4, entry.method);
        insert.bindNoCopy(5, entry.target);
        insert.bindNoCopy(6, entry.body.data(), static_cast<int>(entry.body.size()));
        insert.bindNoCopy(7, entry.key_id);
        insert.bind(8, to_microseconds(entry.accepted_at));
        insert.bind(9, static_cast<std::int64_t>(journal::cost_of(entry)));
        insert.bindNoCopy(10, entry.about);
        insert.exec();
        insert.reset();
    }
}

void set_aside(SQLite::Database& connection, std::span<const Rejection> rejections) {
    SQLite::Statement insert(connection,
                             fmt::format("INSERT INTO journal_rejected ({0}, rejected_at, status, reason) "
                                         "SELECT {0}, ?, ?, ? FROM journal_entries WHERE sequence = ?",
                                         kColumns));
    for (const Rejection& rejection : rejections) {
        insert.bind(1, to_microseconds(rejection.rejected_at));
        insert.bind(2, static_cast<std::int64_t>(rejection.status));
        insert.bindNoCopy(3, rejection.reason);
        insert.bind(4, rejection.sequence);
        insert.exec();
        insert.reset();
    }
}

void rewrite_entries(SQLite::Database& connection, std::span<const Entry> entries) {
    SQLite::Statement update(connection,
                             "UPDATE journal_entries SET body = ?, about = ?, bytes = ? WHERE sequence = ?");
    for (const Entry& entry : entries) {
        update.bindNoCopy(1, entry.body.data(), static_cast<int>(entry.body.size()));
        update.bindNoCopy(2, entry.about);
        update.bind(3, static_cast<std::int64_t>(journal::cost_of(entry)));
        update.bind(4, entry.sequence);
        update.exec();
        update.reset();
    }
}

void put_holds(SQLite::Database& connection, const Batch& batch) {
    SQLite::Statement put(connection,
                          "INSERT OR REPLACE INTO journal_holds (lane, reason, about, since, decision) "
                          "VALUES (?, ?, ?, ?, ?)");
    for (const Hold& hold : batch.held) {
        put.bindNoCopy(1, hold.lane);
        put.bindNoCopy(2, hold.reason);
        put.bindNoCopy(3, hold.about);
        put.bind(4, to_microseconds(hold.since));
        put.bind(5, static_cast<std::int64_t>(hold.decision));
        put.exec();
        put.reset();
    }
    SQLite::Statement release(connection, "DELETE FROM journal_holds WHERE lane = ?");
    for (const std::string& lane : batch.released) {
        release.bindNoCopy(1, lane);
        release.exec();
        release.reset();
    }
}

void put_renumbered(SQLite::Database& connection, std::span<const Renumbering> renumbered) {
    SQLite::Statement put(connection, "INSERT INTO journal_renumbered (lane, promised, given, at) VALUES (?, ?, ?, ?)");
    for (const Renumbering& each : renumbered) {
        put.bindNoCopy(1, each.lane);
        put.bind(2, each.promised);
        put.bind(3, each.given);
        put.bind(4, to_microseconds(each.at));
        put.exec();
        put.reset();
    }
    SQLite::Statement forget(
        connection,
        "DELETE FROM journal_renumbered WHERE id <= (SELECT coalesce(max(id), 0) FROM journal_renumbered) - ?");
    forget.bind(1, kMaxRenumbered);
    forget.exec();
}

void erase(SQLite::Statement& statement, std::int64_t sequence) {
    statement.bind(1, sequence);
    statement.exec();
    statement.reset();
}

std::uint64_t forget_oldest_rejected(SQLite::Database& connection, std::uint64_t max_bytes) {
    SQLite::Statement forget(connection,
                             "DELETE FROM journal_rejected WHERE sequence IN ("
                             "SELECT sequence FROM (SELECT sequence, sum(bytes) OVER (ORDER BY sequence DESC) AS total "
                             "FROM journal_rejected) WHERE total > ?)");
    forget.bind(1, static_cast<std::int64_t>(max_bytes));
    return static_cast<std::uint64_t>(forget.exec());
}

std::int64_t number(SQLite::Database& connection, const char* query) {
    return connection.execAndGet(query).getInt64();
}

}  // namespace

base::Result<std::uint64_t> SqliteJournalStore::commit(const Batch& batch, std::uint64_t max_rejected_bytes) {
    return database_->transaction([&](SQLite::Database& connection) -> base::Result<std::uint64_t> {
        if (!batch.accepted.empty()) {
            insert_entries(connection, batch.accepted);
        }
        if (!batch.rejected.empty()) {
            set_aside(connection, batch.rejected);
        }
        if (!batch.rewritten.empty()) {
            rewrite_entries(connection, batch.rewritten);
        }
        put_holds(connection, batch);
        if (!batch.renumbered.empty()) {
            put_renumbered(connection, batch.renumbered);
        }
        SQLite::Statement statement(connection, "DELETE FROM journal_entries WHERE sequence = ?");
        for (const std::int64_t sequence : batch.delivered) {
            erase(statement, sequence);
        }
        for (const Rejection& rejection : batch.rejected) {
            erase(statement, rejection.sequence);
        }
        return batch.rejected.empty() ? 0 : forget_oldest_rejected(connection, max_rejected_bytes);
    });
}

base::Result<std::vector<LaneSummary>> SqliteJournalStore::lanes() {
    return database_->read([](SQLite::Database& connection) -> base::Result<std::vector<LaneSummary>> {
        SQLite::Statement select(connection, "SELECT lane, count(*), sum(bytes) FROM journal_entries GROUP BY lane");
        std::vector<LaneSummary> lanes;
        while (select.executeStep()) {
            lanes.push_back({select.getColumn(0).getString(),
                             static_cast<std::uint64_t>(select.getColumn(1).getInt64()),
                             static_cast<std::uint64_t>(select.getColumn(2).getInt64())});
        }
        return lanes;
    });
}

base::Result<std::optional<base::WallTime>> SqliteJournalStore::oldest() {
    return database_->read([](SQLite::Database& connection) -> base::Result<std::optional<base::WallTime>> {
        SQLite::Statement select(connection, "SELECT accepted_at FROM journal_entries ORDER BY sequence LIMIT 1");
        return select.executeStep() ? std::optional(from_microseconds(select.getColumn(0).getInt64())) : std::nullopt;
    });
}

base::Result<std::int64_t> SqliteJournalStore::last_sequence() {
    return database_->read([](SQLite::Database& connection) -> base::Result<std::int64_t> {
        return std::max(number(connection, "SELECT coalesce(max(sequence), 0) FROM journal_entries"),
                        number(connection, "SELECT coalesce(max(sequence), 0) FROM journal_rejected"));
    });
}

base::Result<std::vector<Entry>> SqliteJournalStore::head(std::string_view lane,
                                                          std::size_t max_entries,
                                                          std::uint64_t max_bytes) {
    return database_->read([&](SQLite::Database& connection) -> base::Result<std::vector<Entry>> {
        SQLite::Statement select(
            connection,
            fmt::format("SELECT {} FROM journal_entries WHERE lane = ? ORDER BY sequence LIMIT ?", kColumns));
        select.bind(1, std::string(lane));
        select.bind(2, static_cast<std::int64_t>(max_entries));
        std::vector<Entry> entries;
        for (std::uint64_t bytes = 0; select.executeStep();) {
            bytes += static_cast<std::uint64_t>(select.getColumn(8).getInt64());
            if (!entries.empty() && bytes > max_bytes) {
                break;
            }
            entries.push_back(entry_row(select));
        }
        return entries;
    });
}

base::Result<std::vector<RejectedEntry>> SqliteJournalStore::rejected(std::size_t limit) {
    return database_->read([limit](SQLite::Database& connection) -> base::Result<std::vector<RejectedEntry>> {
        SQLite::Statement select(connection,
                                 fmt::format("SELECT {}, rejected_at, status, reason FROM journal_rejected "
                                             "ORDER BY sequence DESC LIMIT ?",
                                             kColumns));
        select.bind(1, static_cast<std::int64_t>(limit));
        std::vector<RejectedEntry> found;
        while (select.executeStep()) {
            RejectedEntry rejected{entry_row(select), {}};
            rejected.rejection = {rejected.entry.sequence,
                                  select.getColumn(kColumnCount + 1).getUInt(),
                                  select.getColumn(kColumnCount + 2).getString(),
                                  from_microseconds(select.getColumn(kColumnCount).getInt64())};
            found.push_back(std::move(rejected));
        }
        std::ranges::reverse(found);
        return found;
    });
}

base::Result<std::uint64_t> SqliteJournalStore::count_rejected() {
    return database_->read([](SQLite::Database& connection) -> base::Result<std::uint64_t> {
        return static_cast<std::uint64_t>(number(connection, "SELECT count(*) FROM journal_rejected"));
    });
}

base::Result<std::vector<Hold>> SqliteJournalStore::holds() {
    return database_->read([](SQLite::Database& connection) -> base::Result<std::vector<Hold>> {
        SQLite::Statement select(connection,
                                 "SELECT lane, reason, about, since, decision FROM journal_holds ORDER BY lane");
        std::vector<Hold> holds;
        while (select.executeStep()) {
            holds.push_back({select.getColumn(0).getString(),
                             select.getColumn(1).getString(),
                             select.getColumn(2).getString(),
                             from_microseconds(select.getColumn(3).getInt64()),
                             static_cast<journal::Decision>(select.getColumn(4).getInt())});
        }
        return holds;
    });
}

base::Result<bool> SqliteJournalStore::decide(std::string_view lane, journal::Decision decision) {
    return database_->transaction([&](SQLite::Database& connection) -> base::Result<bool> {
        SQLite::Statement update(connection, "UPDATE journal_holds SET decision = ? WHERE lane = ?");
        update.bind(1, static_cast<std::int64_t>(decision));
        update.bind(2, std::string(lane));
        return update.exec() > 0;
    });
}

base::Result<std::vector<Renumbering>> SqliteJournalStore::renumberings(std::size_t limit) {
    return database_->read([limit](SQLite::Database& connection) -> base::Result<std::vector<Renumbering>> {
        SQLite::Statement select(connection,
                                 "SELECT lane, promised, given, at FROM journal_renumbered ORDER BY id DESC LIMIT ?");
        select.bind(1, static_cast<std::int64_t>(limit));
        std::vector<Renumbering> found;
        while (select.executeStep()) {
            found.push_back({select.getColumn(0).getString(),
                             select.getColumn(1).getInt64(),
                             select.getColumn(2).getInt64(),
                             from_microseconds(select.getColumn(3).getInt64())});
        }
        std::ranges::reverse(found);
        return found;
    });
}

base::Result<std::vector<KnownLane>> SqliteJournalStore::known_lanes(std::size_t limit) {
    return database_->read([limit](SQLite::Database& connection) -> base::Result<std::vector<KnownLane>> {
        SQLite::Statement select(connection,
                                 "SELECT lane, about, seen_at FROM journal_lanes ORDER BY seen_at DESC LIMIT ?");
        select.bind(1, static_cast<std::int64_t>(limit));
        std::vector<KnownLane> lanes;
        while (select.executeStep()) {
            lanes.push_back({select.getColumn(0).getString(),
                             select.getColumn(1).getString(),
                             from_microseconds(select.getColumn(2).getInt64())});
        }
        return lanes;
    });
}

base::Result<void> SqliteJournalStore::put_known_lanes(std::span<const KnownLane> lanes, std::size_t limit) {
    return database_->transaction([&](SQLite::Database& connection) -> base::Result<void> {
        SQLite::Statement put(connection,
                              "INSERT OR REPLACE INTO journal_lanes (lane, about, seen_at) VALUES (?, ?, ?)");
        for (const KnownLane& lane : lanes) {
            put.bindNoCopy(1, lane.lane);
            put.bindNoCopy(2, lane.about);
            put.bind(3, to_microseconds(lane.seen_at));
            put.exec();
            put.reset();
        }
        SQLite::Statement forget(connection,
                                 "DELETE FROM journal_lanes WHERE lane IN "
                                 "(SELECT lane FROM journal_lanes ORDER BY seen_at DESC LIMIT -1 OFFSET ?)");
        forget.bind(1, static_cast<std::int64_t>(limit));
        forget.exec();
        return {};
    });
}

}  // namespace storage
