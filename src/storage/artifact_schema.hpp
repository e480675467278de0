// The tables of the artifact cache.
#pragma once

namespace storage {

// Triggers keep the books: which contents nothing refers to any more, and what all of them take.
inline constexpr const char* kArtifactSchema = R"(
PRAGMA application_id = 0x484F4B41;

CREATE TABLE contents (
    digest BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    size   INTEGER NOT NULL,
    room   INTEGER NOT NULL,  -- bytes on the disk, about
    pieces BLOB    NOT NULL
) STRICT;

CREATE TABLE artifacts (
    path      TEXT    NOT NULL,
    kind      TEXT    NOT NULL,
    digest    BLOB    NOT NULL REFERENCES contents,
    fields    TEXT    NOT NULL,  -- lines of the answer's head
    seen_at   INTEGER NOT NULL,  -- microseconds since the epoch, UTC
    last_use  INTEGER NOT NULL,  -- counts uses, so that no clock decides what goes first
    is_pinned INTEGER NOT NULL,
    PRIMARY KEY (path, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX artifacts_by_digest ON artifacts (digest);
CREATE INDEX artifacts_by_use ON artifacts (is_pinned, last_use);

CREATE TABLE pins (
    root     TEXT    NOT NULL PRIMARY KEY,
    versions TEXT    NOT NULL,
    is_whole INTEGER NOT NULL DEFAULT 0,
    problem  TEXT    NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE TABLE unwanted (digest BLOB NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;

CREATE TABLE usage (
    bytes   INTEGER NOT NULL DEFAULT 0,
    entries INTEGER NOT NULL DEFAULT 0,
    uses    INTEGER NOT NULL DEFAULT 0,
    hits    INTEGER NOT NULL DEFAULT 0,
    misses  INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO usage DEFAULT VALUES;

CREATE TRIGGER contents_inserted AFTER INSERT ON contents BEGIN
    UPDATE usage SET bytes = bytes + NEW.room;
    DELETE FROM unwanted WHERE digest = NEW.digest;
END;
CREATE TRIGGER contents_deleted AFTER DELETE ON contents BEGIN
    UPDATE usage SET bytes = bytes - OLD.room;
    INSERT OR IGNORE INTO unwanted VALUES (OLD.digest);
END;
CREATE TRIGGER artifacts_inserted AFTER INSERT ON artifacts BEGIN
    UPDATE usage SET entries = entries + 1;
END;
CREATE TRIGGER artifacts_deleted AFTER DELETE ON artifacts BEGIN
    UPDATE usage SET entries = entries - 1;
    DELETE FROM contents WHERE digest = OLD.digest
        AND NOT EXISTS (SELECT 1 FROM artifacts WHERE digest = OLD.digest);
END;
CREATE TRIGGER artifacts_replaced AFTER UPDATE OF digest ON artifacts WHEN NEW.digest <> OLD.digest BEGIN
    DELETE FROM contents WHERE digest = OLD.digest
        AND NOT EXISTS (SELECT 1 FROM artifacts WHERE digest = OLD.digest);
END;
)";

}  // namespace storage
