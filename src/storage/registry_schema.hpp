// The tables of the model registry, in whichever database they are.
#pragma once

namespace storage {

// A row is a whole entity, so that one look-up reads it; tags are copied to tables of their own for searches. Search
// indexes begin with what is asked for and end with MLflow's default order, so that a page is read without sorting.
// What they need of a parent row is copied into its children; triggers keep the copies.
inline constexpr const char* kRegistrySchema = R"(
CREATE TABLE registry_models (
    id                     INTEGER PRIMARY KEY,
    workspace              TEXT    NOT NULL,
    name                   TEXT    NOT NULL,
    creation_timestamp     INTEGER NOT NULL,
    last_updated_timestamp INTEGER NOT NULL,
    description            TEXT    NOT NULL,
    tags                   TEXT    NOT NULL,            -- this and below: JSON, or empty
    aliases                TEXT    NOT NULL,
    unknown                TEXT    NOT NULL,
    alias_count            INTEGER NOT NULL,
    is_prompt              INTEGER NOT NULL,
    has_prompt_versions    INTEGER NOT NULL DEFAULT 0,
    highest_version        INTEGER NOT NULL DEFAULT 0,  -- deleted versions included
    UNIQUE (workspace, name)
) STRICT;
CREATE INDEX registry_models_in_order ON registry_models (workspace, is_prompt, name);
CREATE INDEX registry_models_by_update
    ON registry_models (workspace, is_prompt, last_updated_timestamp DESC, name);
CREATE INDEX registry_models_by_alias_count ON registry_models (alias_count) WHERE alias_count > 0;

CREATE TABLE registry_model_tags (
    model_id  INTEGER NOT NULL REFERENCES registry_models ON DELETE CASCADE,
    key       TEXT    NOT NULL,
    value     TEXT    NOT NULL,
    workspace TEXT    NOT NULL,  -- this and below: of the model
    name      TEXT    NOT NULL,
    is_prompt INTEGER NOT NULL,
    PRIMARY KEY (model_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX registry_model_tags_by_value
    ON registry_model_tags (workspace, is_prompt, key, substr(value, 1, 64), name);

CREATE TABLE registry_versions (
    id                     INTEGER PRIMARY KEY,  -- model_id << 32 | version: a model's versions lie together
    model_id               INTEGER NOT NULL REFERENCES registry_models ON DELETE CASCADE,
    version                INTEGER NOT NULL CHECK (version BETWEEN 0 AND 4294967295),
    creation_timestamp     INTEGER NOT NULL,
    last_updated_timestamp INTEGER NOT NULL,
    user_id                TEXT    NOT NULL,
    current_stage          TEXT    NOT NULL,
    description            TEXT,
    source                 TEXT    NOT NULL,
    run_id                 TEXT,
    run_link               TEXT,
    status                 TEXT    NOT NULL,
    status_message         TEXT    NOT NULL,
    artifact_uri           TEXT    NOT NULL,
    tags                   TEXT    NOT NULL,  -- this and below: JSON, or empty
    unknown                TEXT    NOT NULL,
    workspace              TEXT    NOT NULL,  -- this and below: of the model
    name                   TEXT    NOT NULL,
    is_prompt              INTEGER NOT NULL,  -- whether any of the model's versions is one
    UNIQUE (model_id, version)
) STRICT;
CREATE INDEX registry_versions_in_order
    ON registry_versions (workspace, is_prompt, last_updated_timestamp DESC, name, version DESC);
CREATE INDEX registry_versions_by_run
    ON registry_versions (workspace, is_prompt, run_id, last_updated_timestamp DESC, name, version DESC);
CREATE INDEX registry_versions_by_source
    ON registry_versions (workspace, is_prompt, source, last_updated_timestamp DESC, name, version DESC);
CREATE INDEX registry_versions_by_model ON registry_versions (model_id, last_updated_timestamp DESC, version DESC);
CREATE INDEX registry_versions_by_stage ON registry_versions (model_id, current_stage, version);

CREATE TABLE registry_version_tags (
    version_id             INTEGER NOT NULL REFERENCES registry_versions ON DELETE CASCADE,
    key                    TEXT    NOT NULL,
    value                  TEXT    NOT NULL,
    workspace              TEXT    NOT NULL,  -- this and below: of the version
    name                   TEXT    NOT NULL,
    version                INTEGER NOT NULL,
    last_updated_timestamp INTEGER NOT NULL,
    is_prompt              INTEGER NOT NULL,
    PRIMARY KEY (version_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX registry_version_tags_by_value ON registry_version_tags
    (workspace, is_prompt, key, substr(value, 1, 64), last_updated_timestamp DESC, name, version DESC);

CREATE TRIGGER registry_models_copy AFTER UPDATE OF name, is_prompt, has_prompt_versions ON registry_models
    WHEN NEW.name <> OLD.name OR NEW.is_prompt <> OLD.is_prompt OR NEW.has_prompt_versions <> OLD.has_prompt_versions
BEGIN
    UPDATE registry_model_tags SET name = NEW.name, is_prompt = NEW.is_prompt WHERE model_id = NEW.id;
    UPDATE registry_versions SET name = NEW.name, is_prompt = NEW.has_prompt_versions WHERE model_id = NEW.id;
END;
CREATE TRIGGER registry_versions_copy AFTER UPDATE OF name, is_prompt, last_updated_timestamp ON registry_versions
    WHEN NEW.name <> OLD.name OR NEW.is_prompt <> OLD.is_prompt
        OR NEW.last_updated_timestamp <> OLD.last_updated_timestamp
BEGIN
    UPDATE registry_version_tags
        SET name = NEW.name, is_prompt = NEW.is_prompt, last_updated_timestamp = NEW.last_updated_timestamp
        WHERE version_id = NEW.id;
END;

CREATE TABLE registry_facts (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
)";

}  // namespace storage
