// The registry's rows to and from entities.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "registry/entities.hpp"

namespace SQLite {
class Statement;
}

namespace storage {

// What the readers below expect, of a table called r.
inline constexpr std::string_view kModelColumns =
    "r.id, r.name, r.creation_timestamp, r.last_updated_timestamp, r.description, r.unknown";
inline constexpr std::string_view kVersionColumns =
    "r.id, r.name, r.version, r.creation_timestamp, r.last_updated_timestamp, r.user_id, r.current_stage, "
    "r.description, r.source, r.run_id, r.run_link, r.status, r.status_message, r.artifact_uri, r.unknown";

struct ModelRow {
    std::int64_t id = 0;
    registry::RegisteredModel model;  // tags and aliases are elsewhere
};

struct VersionRow {
    std::int64_t id = 0;
    registry::ModelVersion version;  // tags are elsewhere
};

// data_loss when the row holds what no one has put there.
base::Result<ModelRow> read_model_row(const SQLite::Statement& row);
base::Result<VersionRow> read_version_row(const SQLite::Statement& row);

// The text of a column `unknown`.
std::string to_column(const boost::json::object& unknown);

}  // namespace storage
