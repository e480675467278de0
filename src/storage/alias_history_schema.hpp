// The tables of the alias history, in the main database.
#pragma once

namespace storage {

// `registry` is empty for our own, else the address of the server it is a copy of. Times are milliseconds.
inline constexpr const char* kAliasHistorySchema = R"(
CREATE TABLE alias_changes (
    sequence     INTEGER PRIMARY KEY AUTOINCREMENT,
    registry     TEXT    NOT NULL,
    workspace    TEXT    NOT NULL,
    model        TEXT    NOT NULL,
    at           INTEGER NOT NULL,
    alias        TEXT    NOT NULL,
    from_version INTEGER,
    to_version   INTEGER,
    event        TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    key_id       TEXT    NOT NULL,
    key_name     TEXT    NOT NULL,
    other_name   TEXT    NOT NULL
) STRICT;
CREATE INDEX alias_changes_by_model ON alias_changes (registry, workspace, model, sequence);

CREATE TABLE aliases_last_seen (
    registry  TEXT    NOT NULL,
    workspace TEXT    NOT NULL,
    model     TEXT    NOT NULL,
    alias     TEXT    NOT NULL,
    version   INTEGER NOT NULL,
    PRIMARY KEY (registry, workspace, model, alias)
) STRICT, WITHOUT ROWID;

-- When a key was last given a version to load.
CREATE TABLE version_loads (
    registry  TEXT    NOT NULL,
    workspace TEXT    NOT NULL,
    model     TEXT    NOT NULL,
    version   INTEGER NOT NULL,
    key_id    TEXT    NOT NULL,
    key_name  TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (registry, workspace, model, version, key_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX version_loads_by_time ON version_loads (at);
)";

}  // namespace storage
