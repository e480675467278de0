// The tables of the journal.
#pragma once

namespace storage {

// Times are microseconds since the epoch, UTC. `bytes` is what journal::cost_of() counts.
inline constexpr const char* kJournalSchema = R"(
PRAGMA application_id = 0x484F4B4A;

CREATE TABLE journal_entries (
    sequence    INTEGER NOT NULL PRIMARY KEY,
    lane        TEXT    NOT NULL,
    workspace   TEXT    NOT NULL,
    method      TEXT    NOT NULL,
    target      TEXT    NOT NULL,
    body        BLOB    NOT NULL,
    key_id      TEXT    NOT NULL,
    accepted_at INTEGER NOT NULL,
    bytes       INTEGER NOT NULL
) STRICT;
CREATE INDEX journal_entries_by_lane ON journal_entries (lane, sequence, bytes);

CREATE TABLE journal_rejected (
    sequence    INTEGER NOT NULL PRIMARY KEY,
    lane        TEXT    NOT NULL,
    workspace   TEXT    NOT NULL,
    method      TEXT    NOT NULL,
    target      TEXT    NOT NULL,
    body        BLOB    NOT NULL,
    key_id      TEXT    NOT NULL,
    accepted_at INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,
    rejected_at INTEGER NOT NULL,
    status      INTEGER NOT NULL,
    reason      TEXT    NOT NULL
) STRICT;
CREATE INDEX journal_rejected_bytes ON journal_rejected (sequence, bytes);

CREATE TABLE journal_lanes (
    lane    TEXT    NOT NULL PRIMARY KEY,
    about   TEXT    NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX journal_lanes_by_time ON journal_lanes (seen_at);
)";

// Lanes that wait for somebody's decision, and numbers that were promised and could not be kept.
inline constexpr const char* kJournalHolds = R"(
ALTER TABLE journal_entries ADD COLUMN about TEXT NOT NULL DEFAULT '';
ALTER TABLE journal_rejected ADD COLUMN about TEXT NOT NULL DEFAULT '';

CREATE TABLE journal_holds (
    lane     TEXT    NOT NULL PRIMARY KEY,
    reason   TEXT    NOT NULL,
    about    TEXT    NOT NULL,
    since    INTEGER NOT NULL,
    decision INTEGER NOT NULL  -- 0 none, 1 apply, 2 discard
) STRICT, WITHOUT ROWID;

CREATE TABLE journal_renumbered (
    id       INTEGER NOT NULL PRIMARY KEY,
    lane     TEXT    NOT NULL,
    promised INTEGER NOT NULL,
    given    INTEGER NOT NULL,
    at       INTEGER NOT NULL
) STRICT;
)";

}  // namespace storage
