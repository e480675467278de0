#include "storage/registry_rows.hpp"

#include <array>
#include <optional>
#include <utility>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace storage {

namespace {

namespace json = boost::json;

std::optional<std::string> read_optional(const SQLite::Column& column) {
    return column.isNull() ? std::nullopt : std::optional(column.getString());
}

bool from_json(const json::value& value, json::object& object) {
    if (value.is_object()) {
        object = value.get_object();
    }
    return value.is_object();
}

bool from_json(const json::value& value, std::string& text) {
    if (value.is_string()) {
        text = value.get_string();
    }
    return value.is_string();
}

bool from_json(const json::value& value, std::int64_t& number) {
    if (value.is_int64()) {
        number = value.get_int64();
    }
    return value.is_int64();
}

// [["name", value], ...]
template <class Row>
bool from_json(const json::value& value, std::vector<Row>& rows) {
    const json::array* list = value.if_array();
    if (list == nullptr) {
        return false;
    }
    for (const json::value& each : *list) {
        const json::array* pair = each.if_array();
        auto& [first, second] = rows.emplace_back();
        if (pair == nullptr || pair->size() != 2 || !from_json((*pair)[0], first) || !from_json((*pair)[1], second)) {
            return false;
        }
    }
    return true;
}

// Fills `into` from a column's JSON, unless that is empty; false when it is not what belongs there.
template <class Into>
bool read_json(const SQLite::Column& column, Into& into) {
    const std::string_view text(column.getText(), static_cast<std::size_t>(column.getBytes()));
    if (text.empty()) {
        return true;
    }
    std::array<unsigned char, 2048> room;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before it is read
    json::monotonic_resource resource(room.data(), room.size());
    json::error_code error;
    const json::value value = json::parse(text, error, &resource);
    return !error && from_json(value, into);
}

template <class Row>
std::string list_to_column(const std::vector<Row>& rows) {
    json::array list;
    for (const auto& [first, second] : rows) {
        list.push_back(json::array{first, second});
    }
    return list.empty() ? std::string() : json::serialize(list);
}

std::unexpected<base::Error> damaged(std::string_view what, std::int64_t id) {
    return base::fail(base::Code::data_loss,
                      fmt::format("the database holds a damaged {} (row {}): restore it from a backup", what, id));
}

}  // namespace

base::Result<ModelRow> read_model_row(const SQLite::Statement& row) {
    ModelRow read;
    registry::RegisteredModel& model = read.model;
    read.id = row.getColumn(0).getInt64();
    model.name = row.getColumn(1).getString();
    model.creation_timestamp = row.getColumn(2).getInt64();
    model.last_updated_timestamp = row.getColumn(3).getInt64();
    model.description = row.getColumn(4).getString();
    if (!read_json(row.getColumn(5), model.tags) || !read_json(row.getColumn(6), model.aliases) ||
        !read_json(row.getColumn(7), model.unknown)) {
        return damaged("registered model", read.id);
    }
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
    if (!read_json(row.getColumn(14), version.tags) || !read_json(row.getColumn(15), version.unknown)) {
        return damaged("model version", read.id);
    }
    return read;
}

base::Result<std::vector<registry::Alias>> read_aliases(const SQLite::Statement& row, int column) {
    std::vector<registry::Alias> aliases;
    if (!read_json(row.getColumn(column), aliases)) {
        return damaged("list of aliases", row.getColumn(0).getInt64());
    }
    return aliases;
}

std::string to_column(const std::vector<registry::Tag>& tags) {
    return list_to_column(tags);
}

std::string to_column(const std::vector<registry::Alias>& aliases) {
    return list_to_column(aliases);
}

std::string to_column(const boost::json::object& unknown) {
    return unknown.empty() ? std::string() : json::serialize(unknown);
}

}  // namespace storage
