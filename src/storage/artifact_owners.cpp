#include "storage/artifact_owners.hpp"

#include <map>
#include <string_view>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

namespace storage {

namespace {

constexpr std::string_view kScheme = "mlflow-artifacts:/";

bool finds(SQLite::Statement& select, const std::string& text) {
    select.reset();
    select.bind(1, text);
    return select.executeStep();
}

bool has_owner_in(SQLite::Database& connection, std::string_view path) {
    SQLite::Statement by_place(connection,
                               "SELECT 1 FROM registry_versions WHERE artifact_uri = ? AND workspace = '' LIMIT 1");
    SQLite::Statement by_source(
        connection, "SELECT 1 FROM registry_versions WHERE workspace = '' AND is_prompt = 0 AND source = ? LIMIT 1");
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        const std::string_view segment = path.substr(begin, end - begin);
        const std::string folder = fmt::format("{}{}", kScheme, path.substr(0, end));
        if (finds(by_place, folder) || finds(by_source, folder) ||
            (segment.starts_with("m-") && finds(by_source, fmt::format("models:/{}", segment)))) {
            return true;
        }
        begin = end + 1;
    }
    return false;
}

}  // namespace

base::Result<bool> ArtifactOwners::has_owner(const std::string& path) {
    return registry_->read(
        [&](SQLite::Database& connection) -> base::Result<bool> { return has_owner_in(connection, path); });
}

base::Result<std::vector<Pin>> ArtifactOwners::aliased_folders() {
    return registry_->read([](SQLite::Database& connection) -> base::Result<std::vector<Pin>> {
        // An alias is a pair of its name and the version's number.
        SQLite::Statement select(
            connection,
            "SELECT DISTINCT v.artifact_uri, m.name, v.version FROM registry_models m, json_each(m.aliases) a"
            " JOIN registry_versions v ON v.id = (m.id << 32 | json_extract(a.value, '$[1]'))"
            " WHERE m.alias_count > 0 AND m.workspace = '' ORDER BY m.name, v.version");
        std::vector<Pin> folders;
        std::map<std::string, std::size_t> by_root;
        while (select.executeStep()) {
            const std::string uri = select.getColumn(0).getString();
            if (!uri.starts_with(kScheme)) {
                continue;
            }
            const std::string root = uri.substr(kScheme.size());
            const std::string version =
                fmt::format("{} version {}", select.getColumn(1).getString(), select.getColumn(2).getInt64());
            const auto [place, is_new] = by_root.emplace(root, folders.size());
            if (is_new) {
                folders.push_back({.root = root, .versions = version});
            } else {
                folders[place->second].versions += ", " + version;
            }
        }
        return folders;
    });
}

}  // namespace storage
