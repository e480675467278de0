#include "storage/registry_rows.hpp"

#include <optional>
#include <utility>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace storage {

namespace {

std::optional<std::string> read_optional(const SQLite::Column& column) {
    return column.isNull() ? std::nullopt : std::optional(column.getString());
}

base::Result<boost::json::object> read_unknown(const SQLite::Column& column, std::string_view what, std::int64_t id) {
    const std::string text = column.getString();
    if (text.empty()) {
        return boost::json::object();
    }
    boost::system::error_code error;
    boost::json::value value = boost::json::parse(text, error);
    if (error || !value.is_object()) {
        return base::fail(base::Code::data_loss,
                          fmt::format("the database holds a damaged {} (row {}): restore it from a backup", what, id));
    }
    return std::move(value.get_object());
}

}  // namespace

base::Result<ModelRow> read_model_row(const SQLite::Statement& row) {
    ModelRow read;
    read.id = row.getColumn(0).getInt64();
    read.model.name = row.getColumn(1).getString();
    read.model.creation_timestamp = row.getColumn(2).getInt64();
    read.model.last_updated_timestamp = row.getColumn(3).getInt64();
    read.model.description = row.getColumn(4).getString();
    auto unknown = read_unknown(row.getColumn(5), "registered model", read.id);
    if (!unknown) {
        return std::unexpected(std::move(unknown.error()));
    }
    read.model.unknown = std::move(*unknown);
    return read;
}

base::Result<VersionRow> read_version_row(const SQLite::Statement& row) {
    VersionRow read;
    registry::ModelVersion& version = read.version;
    read.id = row.getColumn(0).getInt64();
    version.name = row.getColumn(1).getString();
    version.version = row.getColumn(2).getInt64();
    version.creation_timestamp = row.getColumn(3).getInt64();
    version.last_updated_timestamp = row.getColumn(4).getInt64();
    version.user_id = row.getColumn(5).getString();
    version.current_stage = row.getColumn(6).getString();
    version.description = read_optional(row.getColumn(7));
    version.source = row.getColumn(8).getString();
    version.run_id = read_optional(row.getColumn(9));
    version.run_link = read_optional(row.getColumn(10));
    version.status = row.getColumn(11).getString();
    version.status_message = row.getColumn(12).getString();
    version.artifact_uri = row.getColumn(13).getString();
    auto unknown = read_unknown(row.getColumn(14), "model version", read.id);
    if (!unknown) {
        return std::unexpected(std::move(unknown.error()));
    }
    version.unknown = std::move(*unknown);
    return read;
}

std::string to_column(const boost::json::object& unknown) {
    return unknown.empty() ? std::string() : boost::json::serialize(unknown);
}

}  // namespace storage
