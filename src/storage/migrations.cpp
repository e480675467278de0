#include "storage/migrations.hpp"

#include <array>
#include <cstdint>
#include <span>

#include "base/ensure.hpp"
#include "storage/alias_history_schema.hpp"
#include "storage/artifact_schema.hpp"
#include "storage/journal_schema.hpp"
#include "storage/model_schema.hpp"
#include "storage/registry_schema.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

namespace storage {

namespace {

// Times are microseconds since the epoch, UTC.
constexpr const char* kKeysAndAudit = R"(
PRAGMA application_id = 0x484F4B55;

CREATE TABLE api_keys (
    id             TEXT    NOT NULL PRIMARY KEY,
    name           TEXT    NOT NULL,
    prefix         TEXT    NOT NULL,
    hash           BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    pepper_version INTEGER NOT NULL,
    scopes         TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    expires_at     INTEGER,
    last_used_at   INTEGER,
    revoked_at     INTEGER
) STRICT;

-- Lets running services notice what other processes change; last use is no such change.
CREATE TABLE key_changes (count INTEGER NOT NULL) STRICT;
INSERT INTO key_changes VALUES (0);
CREATE TRIGGER api_keys_inserted AFTER INSERT ON api_keys
    BEGIN UPDATE key_changes SET count = count + 1; END;
CREATE TRIGGER api_keys_deleted AFTER DELETE ON api_keys
    BEGIN UPDATE key_changes SET count = count + 1; END;
CREATE TRIGGER api_keys_updated AFTER UPDATE OF name, hash, scopes, expires_at, revoked_at ON api_keys
    BEGIN UPDATE key_changes SET count = count + 1; END;

-- Tells a lost pepper from wrong keys: the hash of a fixed text, by pepper version.
CREATE TABLE pepper_checks (
    pepper_version INTEGER NOT NULL PRIMARY KEY,
    hash           BLOB    NOT NULL
) STRICT;

CREATE TABLE audit_log (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    actor    TEXT    NOT NULL,
    action   TEXT    NOT NULL,
    target   TEXT    NOT NULL,
    detail   TEXT    NOT NULL
) STRICT;
CREATE TRIGGER audit_log_keeps_entries BEFORE DELETE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
CREATE TRIGGER audit_log_keeps_contents BEFORE UPDATE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
-- INSERT OR REPLACE fires no delete trigger.
CREATE TRIGGER audit_log_keeps_sequence BEFORE INSERT ON audit_log
    WHEN EXISTS (SELECT 1 FROM audit_log WHERE sequence = NEW.sequence)
    BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;

CREATE TABLE store_probe (writes INTEGER NOT NULL) STRICT;
INSERT INTO store_probe VALUES (0);
)";

// Calls that must not be carried out twice. An intent without a status is unsettled.
constexpr const char* kIntents = R"(
CREATE TABLE intents (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    identity        BLOB    NOT NULL UNIQUE CHECK (length(identity) = 32),
    request         BLOB    NOT NULL CHECK (length(request) = 32),
    has_key         INTEGER NOT NULL,
    principal       TEXT    NOT NULL,
    route           TEXT    NOT NULL,
    kind            INTEGER NOT NULL,
    workspace       TEXT    NOT NULL,
    model           TEXT    NOT NULL,
    arguments       TEXT    NOT NULL,
    highest_version INTEGER,
    model_created   INTEGER,
    begun_at        INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    status          INTEGER,
    body            BLOB
) STRICT;
CREATE INDEX intents_unsettled ON intents (workspace, model, id) WHERE status IS NULL;
CREATE INDEX intents_by_expiry ON intents (expires_at);
CREATE INDEX intents_with_key ON intents (id) WHERE has_key = 1 AND status IS NOT NULL;
)";

constexpr const char* kReplicaMark = "PRAGMA application_id = 0x484F4B52";

// Whose an artifact is, is asked for each that passes.
constexpr const char* kArtifactOwners =
    "CREATE INDEX registry_versions_by_artifact_uri ON registry_versions (artifact_uri)";

// Append only: a step that was released never changes.
constexpr std::array kMainMigrations{kKeysAndAudit, kRegistrySchema, kIntents, kAliasHistorySchema, kModelSchema};
constexpr std::array kReplicaMigrations{kReplicaMark, kRegistrySchema, kArtifactOwners};
constexpr std::array kJournalMigrations{kJournalSchema, kJournalHolds};
constexpr std::array kArtifactMigrations{kArtifactSchema};

struct History {
    std::int64_t application_id;  // set by the first step
    std::span<const char* const> steps;
};

History history_of(Schema schema) {
    switch (schema) {
        case Schema::main:
            return {0x484F4B55, kMainMigrations};  // "HOKU"
        case Schema::replica:
            return {0x484F4B52, kReplicaMigrations};  // "HOKR"
        case Schema::journal:
            return {0x484F4B4A, kJournalMigrations};  // "HOKJ"
        case Schema::artifacts:
            return {0x484F4B41, kArtifactMigrations};  // "HOKA"
    }
    ENSURE(false, "every schema has a history");
}

// True when nothing is left to do.
base::Result<bool> apply_next(SQLite::Database& connection, const History& history, std::string_view file) {
    const int version = connection.execAndGet("PRAGMA user_version").getInt();
    const int newest = static_cast<int>(history.steps.size());
    const bool is_foreign = version <= 0
                                ? connection.execAndGet("SELECT count(*) FROM sqlite_schema").getInt() > 0
                                : connection.execAndGet("PRAGMA application_id").getInt64() != history.application_id;
    if (is_foreign) {
        return base::fail(base::Code::unsupported,
                          fmt::format("{} is a database of another program: choose another folder with --data", file));
    }
    if (version == newest) {
        return true;
    }
    if (version > newest) {
        return base::fail(
            base::Code::unsupported,
            fmt::format("{} has schema {}, this program knows {}: run the newer hokusai that wrote it, or restore "
                        "the backup from before the upgrade",
                        file,
                        version,
                        newest));
    }
    connection.exec(history.steps[static_cast<std::size_t>(version)]);
    connection.exec(fmt::format("PRAGMA user_version = {}", version + 1));
    return false;
}

}  // namespace

int schema_version(Schema schema) {
    return static_cast<int>(history_of(schema).steps.size());
}

base::Result<void> migrate(SqliteDatabase& database, Schema schema) {
    const std::string file = database.file().string();
    const History history = history_of(schema);
    for (;;) {
        const base::Result<bool> is_done =
            database.transaction([&](SQLite::Database& connection) { return apply_next(connection, history, file); });
        if (!is_done) {
            return std::unexpected(is_done.error());
        }
        if (*is_done) {
            return {};
        }
    }
}

}  // namespace storage
