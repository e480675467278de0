// The registry's rows to and from entities.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "registry/entities.hpp"

namespace SQLite {
class Statement;
}

namespace storage {

// What the readers below expect first, of a table called r.
inline constexpr std::string_view kModelColumns =
    "r.id, r.name, r.creation_timestamp, r.last_updated_timestamp, r.description, r.tags, r.aliases, r.unknown";
inline constexpr std::string_view kVersionColumns =
    "r.id, r.name, r.version, r.creation_timestamp, r.last_updated_timestamp, r.user_id, r.current_stage, "
    "r.description, r.source, r.run_id, r.run_link, r.status, r.status_message, r.artifact_uri, r.tags, r.unknown";
inline constexpr int kVersionColumnCount = 16;

struct ModelRow {
    std::int64_t id = 0;
    registry::RegisteredModel model;  // without its latest versions
};

struct VersionRow {
    std::int64_t id = 0;
    registry::ModelVersion version;  // without its aliases
};

// data_loss when the row holds what no one has put there.
base::Result<ModelRow> read_model_row(const SQLite::Statement& row);
base::Result<VersionRow> read_version_row(const SQLite::Statement& row);
base::Result<std::vector<registry::Alias>> read_aliases(const SQLite::Statement& row, int column);

// The text of a column.
std::string to_column(const std::vector<registry::Tag>& tags);
std::string to_column(const std::vector<registry::Alias>& aliases);
std::string to_column(const boost::json::object& unknown);

}  // namespace storage
