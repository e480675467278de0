#include "storage/artifact_index.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "storage/sqlite_time.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

namespace storage {

namespace {

constexpr std::int64_t kBlock = 4096;
constexpr int kLookedAt = 1000;

const char* to_text(ArtifactKind kind) {
    switch (kind) {
        case ArtifactKind::file:
            return "file";
        case ArtifactKind::listing:
            return "listing";
        case ArtifactKind::look_up:
            break;
    }
    return "look-up";
}

std::string blob_at(SQLite::Statement& row, int column) {
    const SQLite::Column value = row.getColumn(column);
    return {static_cast<const char*>(value.getBlob()), static_cast<std::size_t>(value.getBytes())};
}

Digest digest_at(SQLite::Statement& row, int column) {
    const std::string bytes = blob_at(row, column);
    Digest digest{};
    std::copy_n(bytes.begin(), std::min(bytes.size(), digest.size()), digest.begin());
    return digest;
}

void bind(SQLite::Statement& statement, int index, const Digest& digest) {
    statement.bind(index, digest.data(), static_cast<int>(digest.size()));
}

void bind(SQLite::Statement& statement, int first, const ArtifactKey& key) {
    statement.bind(first, key.path);
    statement.bind(first + 1, to_text(key.kind));
}

std::int64_t next_use(SQLite::Database& connection) {
    return connection.execAndGet("UPDATE usage SET uses = uses + 1 RETURNING uses").getInt64();
}

// "a/b/c": "a/b", "a".
std::vector<std::string> folders_above(std::string_view path) {
    std::vector<std::string> folders;
    for (std::size_t slash = path.rfind('/'); slash != std::string_view::npos && slash > 0;
         slash = path.rfind('/', slash - 1)) {
        folders.emplace_back(path.substr(0, slash));
    }
    return folders;
}

void mark_incomplete(SQLite::Database& connection, const std::string& condition, const std::string& path) {
    SQLite::Statement update(connection, "UPDATE pins SET is_whole = 0 WHERE " + condition);
    update.bind(1, path);
    update.exec();
}

constexpr const char* kIsWithinPin =
    "EXISTS (SELECT 1 FROM pins WHERE path = root OR substr(path, 1, length(root) + 1) = root || '/')";
constexpr const char* kIsAtOrBelow = "(path = ?1 OR (path > ?1 || '/' AND path < ?1 || '0'))";

void pin_below(SQLite::Database& connection, const std::string& root) {
    SQLite::Statement update(
        connection,
        std::string("UPDATE artifacts SET is_pinned = kind = 'look-up' OR ") + kIsWithinPin + " WHERE " + kIsAtOrBelow);
    update.bind(1, root);
    update.exec();
}

std::vector<Pin> read_pins(SQLite::Database& connection) {
    std::vector<Pin> pins;
    SQLite::Statement select(connection, "SELECT root, versions, is_whole, problem FROM pins ORDER BY versions");
    while (select.executeStep()) {
        pins.push_back({select.getColumn(0).getString(),
                        select.getColumn(1).getString(),
                        select.getColumn(2).getInt() != 0,
                        select.getColumn(3).getString()});
    }
    return pins;
}

}  // namespace

std::int64_t room_for(std::int64_t size) {
    return (size / kBlock + 2) * kBlock;
}

base::Result<std::optional<KeptArtifact>> ArtifactIndex::find(const ArtifactKey& key) {
    return database_->read([&](SQLite::Database& connection) -> base::Result<std::optional<KeptArtifact>> {
        SQLite::Statement select(connection,
                                 "SELECT c.size, c.pieces, c.digest, a.fields, a.seen_at FROM artifacts a"
                                 " JOIN contents c USING (digest) WHERE a.path = ? AND a.kind = ?");
        bind(select, 1, key);
        if (!select.executeStep()) {
            return std::nullopt;
        }
        return KeptArtifact{{select.getColumn(0).getInt64(), blob_at(select, 1), digest_at(select, 2)},
                            select.getColumn(3).getString(),
                            from_microseconds(select.getColumn(4).getInt64())};
    });
}

base::Result<void> ArtifactIndex::note_use(const ArtifactKey& key, std::optional<base::WallTime> seen_at) {
    return database_->transaction([&](SQLite::Database& connection) -> base::Result<void> {
        SQLite::Statement update(connection,
                                 "UPDATE artifacts SET last_use = ?3, seen_at = coalesce(?4, seen_at)"
                                 " WHERE path = ?1 AND kind = ?2");
        bind(update, 1, key);
        update.bind(3, next_use(connection));
        if (seen_at) {
            update.bind(4, to_microseconds(*seen_at));
        }
        update.exec();
        return {};
    });
}

base::Result<void> ArtifactIndex::put(const ArtifactKey& key, const KeptArtifact& artifact) {
    return database_->transaction([&](SQLite::Database& connection) -> base::Result<void> {
        const Content& content = artifact.content;
        SQLite::Statement insert(connection, "INSERT OR IGNORE INTO contents VALUES (?, ?, ?, ?)");
        bind(insert, 1, content.digest);
        insert.bind(2, content.size);
        insert.bind(3, room_for(content.size));
        insert.bind(4, content.pieces.data(), static_cast<int>(content.pieces.size()));
        insert.exec();
        SQLite::Statement upsert(connection,
                                 "INSERT INTO artifacts VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0) ON CONFLICT DO UPDATE SET"
                                 " digest = excluded.digest, fields = excluded.fields, seen_at = excluded.seen_at,"
                                 " last_use = excluded.last_use");
        bind(upsert, 1, key);
        bind(upsert, 3, content.digest);
        upsert.bind(4, artifact.fields);
        upsert.bind(5, to_microseconds(artifact.seen_at));
        upsert.bind(6, next_use(connection));
        upsert.exec();
        SQLite::Statement pin(connection,
                              std::string("UPDATE artifacts SET is_pinned = kind = 'look-up' OR ") + kIsWithinPin +
                                  " WHERE path = ? AND kind = ?");
        bind(pin, 1, key);
        pin.exec();
        return {};
    });
}

base::Result<void> ArtifactIndex::forget(const std::string& path) {
    return database_->transaction([&](SQLite::Database& connection) -> base::Result<void> {
        mark_incomplete(connection, "?1 = root OR substr(?1, 1, length(root) + 1) = root || '/'", path);
        mark_incomplete(connection, "substr(root, 1, length(?1) + 1) = ?1 || '/'", path);
        SQLite::Statement below(connection,
                                std::string("DELETE FROM artifacts WHERE kind <> 'look-up' AND ") + kIsAtOrBelow);
        below.bind(1, path);
        below.exec();
        for (const std::string& folder : folders_above(path)) {
            SQLite::Statement above(connection, "DELETE FROM artifacts WHERE path = ? AND kind = 'listing'");
            above.bind(1, folder);
            above.exec();
        }
        return {};
    });
}

base::Result<void> ArtifactIndex::forget_content(const Digest& digest) {
    return database_->transaction([&](SQLite::Database& connection) -> base::Result<void> {
        SQLite::Statement update(connection,
                                 "UPDATE pins SET is_whole = 0 WHERE EXISTS (SELECT 1 FROM artifacts WHERE digest = ?"
                                 " AND (path = root OR substr(path, 1, length(root) + 1) = root || '/'))");
        bind(update, 1, digest);
        update.exec();
        SQLite::Statement erase(connection, "DELETE FROM artifacts WHERE digest = ?");
        bind(erase, 1, digest);
        erase.exec();
        return {};
    });
}

base::Result<void> ArtifactIndex::forget_all() {
    return database_->transaction([&](SQLite::Database& connection) -> base::Result<void> {
        connection.exec("DELETE FROM artifacts; UPDATE pins SET is_whole = 0");
        return {};
    });
}

base::Result<bool> ArtifactIndex::evict_one(const std::function<bool(const Digest&)>& may_go) {
    return database_->transaction([&](SQLite::Database& connection) -> base::Result<bool> {
        SQLite::Statement select(
            connection, "SELECT path, kind, digest FROM artifacts WHERE is_pinned = 0 ORDER BY last_use LIMIT ?");
        select.bind(1, kLookedAt);
        while (select.executeStep()) {
            if (may_go(digest_at(select, 2))) {
                SQLite::Statement erase(connection, "DELETE FROM artifacts WHERE path = ? AND kind = ?");
                erase.bind(1, select.getColumn(0).getString());
                erase.bind(2, select.getColumn(1).getString());
                erase.exec();
                return true;
            }
        }
        return false;
    });
}

base::Result<void> ArtifactIndex::set_pins(const std::vector<Pin>& pins) {
    return database_->transaction([&](SQLite::Database& connection) -> base::Result<void> {
        const std::vector<Pin> before = read_pins(connection);
        const auto is_among = [](const std::vector<Pin>& among, const std::string& root) {
            return std::ranges::find(among, root, &Pin::root) != among.end();
        };
        for (const Pin& pin : pins) {
            SQLite::Statement upsert(connection,
                                     "INSERT INTO pins (root, versions) VALUES (?, ?) ON CONFLICT DO UPDATE SET"
                                     " versions = excluded.versions WHERE versions <> excluded.versions");
            upsert.bind(1, pin.root);
            upsert.bind(2, pin.versions);
            upsert.exec();
        }
        for (const Pin& pin : before) {
            if (!is_among(pins, pin.root)) {
                SQLite::Statement erase(connection, "DELETE FROM pins WHERE root = ?");
                erase.bind(1, pin.root);
                erase.exec();
                pin_below(connection, pin.root);
            }
        }
        for (const Pin& pin : pins) {
            if (!is_among(before, pin.root)) {
                pin_below(connection, pin.root);
            }
        }
        return {};
    });
}

base::Result<void> ArtifactIndex::note_pin(const std::string& root, bool is_whole, const std::string& problem) {
    return database_->transaction([&](SQLite::Database& connection) -> base::Result<void> {
        SQLite::Statement update(connection, "UPDATE pins SET is_whole = ?, problem = ? WHERE root = ?");
        update.bind(1, is_whole ? 1 : 0);
        update.bind(2, problem);
        update.bind(3, root);
        update.exec();
        return {};
    });
}

base::Result<std::vector<Pin>> ArtifactIndex::pins() {
    return database_->read(
        [](SQLite::Database& connection) -> base::Result<std::vector<Pin>> { return read_pins(connection); });
}

base::Result<std::vector<Digest>> ArtifactIndex::take_unwanted() {
    return database_->read([](SQLite::Database& connection) -> base::Result<std::vector<Digest>> {
        std::vector<Digest> digests;
        SQLite::Statement select(connection, "SELECT digest FROM unwanted");
        while (select.executeStep()) {
            digests.push_back(digest_at(select, 0));
        }
        return digests;
    });
}

base::Result<void> ArtifactIndex::removed(const std::vector<Digest>& digests) {
    return database_->transaction([&](SQLite::Database& connection) -> base::Result<void> {
        for (const Digest& digest : digests) {
            SQLite::Statement erase(connection, "DELETE FROM unwanted WHERE digest = ?");
            bind(erase, 1, digest);
            erase.exec();
        }
        return {};
    });
}

base::Result<CacheUsage> ArtifactIndex::usage() {
    return database_->read([](SQLite::Database& connection) -> base::Result<CacheUsage> {
        SQLite::Statement select(connection, "SELECT bytes, entries, hits, misses FROM usage");
        select.executeStep();
        return CacheUsage{select.getColumn(0).getInt64(),
                          select.getColumn(1).getInt64(),
                          select.getColumn(2).getInt64(),
                          select.getColumn(3).getInt64()};
    });
}

base::Result<void> ArtifactIndex::note_requests(std::int64_t hits, std::int64_t misses) {
    return database_->transaction([&](SQLite::Database& connection) -> base::Result<void> {
        SQLite::Statement update(connection, "UPDATE usage SET hits = hits + ?, misses = misses + ?");
        update.bind(1, hits);
        update.bind(2, misses);
        update.exec();
        return {};
    });
}

base::Result<std::int64_t> ArtifactIndex::pinned_bytes() {
    return database_->read([](SQLite::Database& connection) -> base::Result<std::int64_t> {
        return connection
            .execAndGet(
                "SELECT coalesce(sum(room), 0) FROM contents"
                " WHERE digest IN (SELECT digest FROM artifacts WHERE is_pinned = 1)")
            .getInt64();
    });
}

base::Result<bool> ArtifactIndex::has_content(const Digest& digest) {
    return database_->read([&](SQLite::Database& connection) -> base::Result<bool> {
        SQLite::Statement select(connection, "SELECT 1 FROM contents WHERE digest = ?");
        bind(select, 1, digest);
        return select.executeStep();
    });
}

base::Result<std::vector<ArtifactIndex::Listed>> ArtifactIndex::list_contents() {
    return database_->read([](SQLite::Database& connection) -> base::Result<std::vector<Listed>> {
        std::vector<Listed> contents;
        SQLite::Statement select(connection,
                                 "SELECT size, pieces, digest, (SELECT min(path) FROM artifacts a"
                                 " WHERE a.digest = contents.digest) FROM contents ORDER BY 4");
        while (select.executeStep()) {
            contents.push_back({{select.getColumn(0).getInt64(), blob_at(select, 1), digest_at(select, 2)},
                                select.getColumn(3).getString()});
        }
        return contents;
    });
}

std::filesystem::path artifact_folder(const std::filesystem::path& data_dir) {
    return data_dir / "artifacts";
}

}  // namespace storage
