#include <algorithm>
#include <limits>

#include "storage/registry_search.hpp"
#include "storage/registry_transaction.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

namespace storage {

namespace {

using registry::ModelKey;
using registry::ModelVersion;
using registry::Query;
using registry::RegisteredModel;

std::int64_t to_limit(std::size_t limit) {
    constexpr auto kAll = static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());
    return static_cast<std::int64_t>(std::min(limit, kAll));
}

void bind_values(SQLite::Statement& statement, const SearchStatement& search) {
    int position = 0;
    for (const auto& value : search.values) {
        ++position;
        std::visit([&](const auto& bound) { statement.bind(position, bound); }, value);
    }
}

}  // namespace

base::Result<std::optional<RegisteredModel>> RegistryTransaction::find_model(const ModelKey& key) {
    return guarded([&]() -> base::Result<std::optional<RegisteredModel>> {
        auto row = find_model_row(key);
        if (!row) {
            return std::unexpected(std::move(row.error()));
        }
        return *row ? std::optional(std::move((*row)->model)) : std::nullopt;
    });
}

base::Result<std::optional<ModelVersion>> RegistryTransaction::find_version(const ModelKey& key, std::int64_t version) {
    return guarded([&]() -> base::Result<std::optional<ModelVersion>> {
        auto row = find_version_row(key, version);
        if (!row) {
            return std::unexpected(std::move(row.error()));
        }
        return *row ? std::optional(std::move((*row)->version)) : std::nullopt;
    });
}

base::Result<std::vector<ModelVersion>> RegistryTransaction::latest_versions(const ModelKey& key,
                                                                             const std::vector<std::string>& stages) {
    return guarded([&]() -> base::Result<std::vector<ModelVersion>> {
        const std::optional<std::int64_t> model_id = find_model_id(key);
        if (!model_id) {
            return std::vector<ModelVersion>();
        }
        auto newest = newest_of_each_stage(*model_id);
        if (newest && !stages.empty()) {
            std::erase_if(*newest, [&](const ModelVersion& version) {
                return std::ranges::find(stages, version.current_stage) == stages.end();
            });
        }
        return newest;
    });
}

base::Result<std::int64_t> RegistryTransaction::highest_version(const ModelKey& key) {
    return guarded([&]() -> base::Result<std::int64_t> {
        auto select = prepare(
            "SELECT highest_version FROM registry_models WHERE workspace = ? AND name = ?", key.workspace, key.name);
        return select->executeStep() ? select->getColumn(0).getInt64() : 0;
    });
}

base::Result<std::vector<RegisteredModel>> RegistryTransaction::search_models(const Query& query) {
    return guarded([&]() -> base::Result<std::vector<RegisteredModel>> {
        const SearchStatement search = model_search(query);
        auto select = prepare(search.text);
        bind_values(*select, search);
        std::vector<RegisteredModel> models;
        while (select->executeStep()) {
            auto row = read_model_row(*select);
            if (!row) {
                return std::unexpected(std::move(row.error()));
            }
            auto newest = newest_of_each_stage(row->id);
            if (!newest) {
                return std::unexpected(std::move(newest.error()));
            }
            row->model.latest_versions = std::move(*newest);
            models.push_back(std::move(row->model));
        }
        return models;
    });
}

base::Result<std::vector<ModelVersion>> RegistryTransaction::search_versions(const Query& query) {
    return guarded([&] {
        const SearchStatement search = version_search(query);
        auto select = prepare(search.text);
        bind_values(*select, search);
        return read_versions(*select);
    });
}

base::Result<std::vector<std::int64_t>> RegistryTransaction::version_numbers(const ModelKey& key) {
    return guarded([&]() -> base::Result<std::vector<std::int64_t>> {
        auto select = prepare(
            "SELECT version FROM registry_versions"
            " WHERE model_id = (SELECT id FROM registry_models WHERE workspace = ? AND name = ?) ORDER BY version",
            key.workspace,
            key.name);
        std::vector<std::int64_t> numbers;
        while (select->executeStep()) {
            numbers.push_back(select->getColumn(0).getInt64());
        }
        return numbers;
    });
}

base::Result<std::vector<ModelKey>> RegistryTransaction::list_models(const std::optional<ModelKey>& after,
                                                                     std::size_t limit) {
    return guarded([&]() -> base::Result<std::vector<ModelKey>> {
        const ModelKey start = after.value_or(ModelKey());  // before any: a name is never empty
        auto select = prepare(
            "SELECT workspace, name FROM registry_models WHERE (workspace, name) > (?, ?) ORDER BY workspace, name "
            "LIMIT ?",
            start.workspace,
            start.name,
            to_limit(limit));
        std::vector<ModelKey> keys;
        while (select->executeStep()) {
            keys.push_back({select->getColumn(0).getString(), select->getColumn(1).getString()});
        }
        return keys;
    });
}

base::Result<std::vector<registry::AliasedModel>> RegistryTransaction::list_aliased_models(
    const std::optional<ModelKey>& after, std::size_t limit) {
    return guarded([&]() -> base::Result<std::vector<registry::AliasedModel>> {
        const ModelKey start = after.value_or(ModelKey());
        auto select = prepare(
            "SELECT workspace, name, aliases FROM registry_models WHERE (workspace, name) > (?, ?) AND alias_count > 0 "
            "ORDER BY workspace, name LIMIT ?",
            start.workspace,
            start.name,
            to_limit(limit));
        std::vector<registry::AliasedModel> models;
        while (select->executeStep()) {
            auto aliases = read_aliases(*select, 2);
            if (!aliases) {
                return std::unexpected(std::move(aliases.error()));
            }
            models.push_back(
                {{select->getColumn(0).getString(), select->getColumn(1).getString()}, *std::move(aliases)});
        }
        return models;
    });
}

base::Result<registry::Counts> RegistryTransaction::counts() {
    return guarded([&]() -> base::Result<registry::Counts> {
        auto select = prepare(
            "SELECT (SELECT count(*) FROM registry_models), (SELECT count(*) FROM registry_versions),"
            " (SELECT coalesce(sum(alias_count), 0) FROM registry_models WHERE alias_count > 0)");
        select->executeStep();
        return registry::Counts{
            select->getColumn(0).getInt64(), select->getColumn(1).getInt64(), select->getColumn(2).getInt64()};
    });
}

base::Result<std::optional<std::string>> RegistryTransaction::find_fact(std::string_view name) {
    return guarded([&]() -> base::Result<std::optional<std::string>> {
        auto select = prepare("SELECT value FROM registry_facts WHERE name = ?", std::string(name));
        return select->executeStep() ? std::optional(select->getColumn(0).getString()) : std::nullopt;
    });
}

std::optional<std::int64_t> RegistryTransaction::find_model_id(const ModelKey& key) {
    auto select = prepare("SELECT id FROM registry_models WHERE workspace = ? AND name = ?", key.workspace, key.name);
    return select->executeStep() ? std::optional(select->getColumn(0).getInt64()) : std::nullopt;
}

base::Result<std::optional<ModelRow>> RegistryTransaction::find_model_row(const ModelKey& key) {
    static const std::string text =
        fmt::format("SELECT {} FROM registry_models r WHERE r.workspace = ? AND r.name = ?", kModelColumns);
    auto select = prepare(text, key.workspace, key.name);
    if (!select->executeStep()) {
        return std::nullopt;
    }
    auto row = read_model_row(*select);
    if (!row) {
        return std::unexpected(std::move(row.error()));
    }
    return std::move(*row);
}

base::Result<std::optional<VersionRow>> RegistryTransaction::find_version_row(const ModelKey& key,
                                                                              std::int64_t version) {
    if (version < 0 || version > kHighestVersion) {
        return std::nullopt;
    }
    static const std::string text = fmt::format(
        "SELECT {}, m.aliases FROM registry_models m CROSS JOIN registry_versions r ON r.id = (m.id << 32 | ?) "
        "WHERE m.workspace = ? AND m.name = ?",
        kVersionColumns);
    auto select = prepare(text, version, key.workspace, key.name);
    if (!select->executeStep()) {
        return std::nullopt;
    }
    auto row = read_version_row(*select);
    auto aliases = read_aliases(*select, kVersionColumnCount);
    if (!row || !aliases) {
        return std::unexpected(std::move(!row ? row.error() : aliases.error()));
    }
    for (registry::Alias& alias : *aliases) {
        if (alias.version == version) {
            row->version.aliases.push_back(std::move(alias.name));
        }
    }
    return std::move(*row);
}

base::Result<std::vector<ModelVersion>> RegistryTransaction::newest_of_each_stage(std::int64_t model_id) {
    // Goes from stage to stage along the index, however many versions each has.
    static const std::string text = fmt::format(
        "WITH RECURSIVE stages (stage) AS ("
        " SELECT min(current_stage) FROM registry_versions WHERE model_id = ?1"
        " UNION ALL"
        " SELECT (SELECT min(current_stage) FROM registry_versions WHERE model_id = ?1 AND current_stage > stage)"
        " FROM stages WHERE stage IS NOT NULL) "
        "SELECT {} FROM stages CROSS JOIN registry_versions r ON r.id = (?1 << 32 |"
        " (SELECT max(version) FROM registry_versions WHERE model_id = ?1 AND current_stage = stage)) "
        "ORDER BY (SELECT min(version) FROM registry_versions WHERE model_id = ?1 AND current_stage = stage)",
        kVersionColumns);
    auto select = prepare(text, model_id);
    return read_versions(*select);
}

base::Result<std::vector<ModelVersion>> RegistryTransaction::read_versions(SQLite::Statement& select) {
    std::vector<ModelVersion> versions;
    while (select.executeStep()) {
        auto row = read_version_row(select);
        if (!row) {
            return std::unexpected(std::move(row.error()));
        }
        versions.push_back(std::move(row->version));
    }
    return versions;
}

}  // namespace storage
