// Registrations of our own API, the events they give rise to, and what runs recorded.
#pragma once

namespace storage {

// Times are microseconds since the epoch, UTC. Events are read in the order of their sequence, which is that of their
// model, too; their ids never change.
inline constexpr const char* kModelSchema = R"(
CREATE TABLE registrations (
    sequence        INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT    NOT NULL UNIQUE,
    model_name      TEXT    NOT NULL,
    model_type      TEXT    NOT NULL,
    model_data      TEXT    NOT NULL,
    metadata        TEXT    NOT NULL,
    key_id          TEXT    NOT NULL,
    key_name        TEXT    NOT NULL,
    idempotency_key TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN ('pending', 'registered', 'failed')),
    run_id          TEXT    NOT NULL,
    version         INTEGER NOT NULL,
    error           TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX registrations_by_key ON registrations (key_id, idempotency_key) WHERE idempotency_key <> '';
CREATE INDEX registrations_pending ON registrations (sequence) WHERE state = 'pending';

CREATE TABLE events (
    sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL UNIQUE,
    type       TEXT    NOT NULL,
    model      TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    payload    TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX events_by_model ON events (model, sequence);

CREATE TABLE run_facts (
    run_id  TEXT    NOT NULL PRIMARY KEY,
    facts   TEXT    NOT NULL,
    read_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX run_facts_by_age ON run_facts (read_at);
)";

}  // namespace storage
