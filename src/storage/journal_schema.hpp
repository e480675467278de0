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

}  // namespace storage
