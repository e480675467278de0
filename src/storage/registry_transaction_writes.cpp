#include <algorithm>
#include <iterator>
#include <tuple>

#include "storage/registry_transaction.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

namespace storage {

namespace {

using registry::Alias;
using registry::ModelKey;
using registry::ModelVersion;
using registry::RegisteredModel;
using registry::Tag;

bool marks_prompt(const std::vector<Tag>& tags) {
    return std::ranges::find(tags, Tag{std::string(registry::kPromptTag), "true"}) != tags.end();
}

bool is_same_row(const RegisteredModel& left, const RegisteredModel& right) {
    return left.creation_timestamp == right.creation_timestamp &&
           left.last_updated_timestamp == right.last_updated_timestamp && left.description == right.description &&
           left.unknown == right.unknown && marks_prompt(left.tags) == marks_prompt(right.tags);
}

bool is_same_row(ModelVersion left, const ModelVersion& right) {
    left.tags = right.tags;
    left.aliases = right.aliases;
    return left == right;
}

constexpr std::string_view kInsertModel =
    "INSERT INTO registry_models (workspace, name, creation_timestamp, last_updated_timestamp, description, unknown,"
    " is_prompt) VALUES (?, ?, ?, ?, ?, ?, ?)";

constexpr std::string_view kUpdateModel =
    "UPDATE registry_models SET creation_timestamp = ?, last_updated_timestamp = ?, description = ?, unknown = ?,"
    " is_prompt = ? WHERE id = ?";

constexpr std::string_view kInsertVersion =
    "INSERT INTO registry_versions (model_id, version, creation_timestamp, last_updated_timestamp, user_id,"
    " current_stage, description, source, run_id, run_link, status, status_message, artifact_uri, unknown, workspace,"
    " name, is_prompt) SELECT id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, workspace, name, has_prompt_versions"
    " FROM registry_models WHERE id = ?";

constexpr std::string_view kUpdateVersion =
    "UPDATE registry_versions SET version = ?, creation_timestamp = ?, last_updated_timestamp = ?, user_id = ?,"
    " current_stage = ?, description = ?, source = ?, run_id = ?, run_link = ?, status = ?, status_message = ?,"
    " artifact_uri = ?, unknown = ? WHERE id = ?";

constexpr TagTexts kModelTags{
    .put =
        "INSERT INTO registry_model_tags (model_id, position, key, value, workspace, name, is_prompt)"
        " SELECT id, ?, ?, ?, workspace, name, is_prompt FROM registry_models WHERE id = ?"
        " ON CONFLICT DO UPDATE SET key = excluded.key, value = excluded.value",
    .cut = "DELETE FROM registry_model_tags WHERE model_id = ? AND position >= ?",
};

constexpr TagTexts kVersionTags{
    .put =
        "INSERT INTO registry_version_tags (version_id, position, key, value, workspace, name, version,"
        " last_updated_timestamp, is_prompt) SELECT id, ?, ?, ?, workspace, name, version, last_updated_timestamp,"
        " is_prompt FROM registry_versions WHERE id = ?"
        " ON CONFLICT DO UPDATE SET key = excluded.key, value = excluded.value",
    .cut = "DELETE FROM registry_version_tags WHERE version_id = ? AND position >= ?",
};

}  // namespace

base::Result<void> RegistryTransaction::put_model(const std::string& workspace, const RegisteredModel& model) {
    return guarded([&]() -> base::Result<void> {
        const auto found = find_model_row({workspace, model.name});
        if (!found) {
            return std::unexpected(found.error());
        }
        const ModelRow before = found->value_or(ModelRow());
        std::int64_t id = before.id;
        if (!*found) {
            run(kInsertModel,
                workspace,
                model.name,
                model.creation_timestamp,
                model.last_updated_timestamp,
                model.description,
                to_column(model.unknown),
                marks_prompt(model.tags));
            id = connection_.getLastInsertRowid();
        } else if (!is_same_row(before.model, model)) {
            run(kUpdateModel,
                model.creation_timestamp,
                model.last_updated_timestamp,
                model.description,
                to_column(model.unknown),
                marks_prompt(model.tags),
                id);
        }
        put_tags(kModelTags, id, before.model.tags, model.tags);
        put_aliases(id, before.model.aliases, model.aliases);
        return {};
    });
}

base::Result<void> RegistryTransaction::erase_model(const ModelKey& key) {
    return guarded([&]() -> base::Result<void> {
        run("DELETE FROM registry_models WHERE workspace = ? AND name = ?", key.workspace, key.name);
        return {};
    });
}

base::Result<void> RegistryTransaction::rename_model(const ModelKey& key, const std::string& new_name) {
    return guarded([&]() -> base::Result<void> {
        run("UPDATE registry_models SET name = ? WHERE workspace = ? AND name = ?", new_name, key.workspace, key.name);
        return {};
    });
}

base::Result<void> RegistryTransaction::put_version(const std::string& workspace, const ModelVersion& version) {
    return guarded([&]() -> base::Result<void> {
        const ModelKey key{workspace, version.name};
        const std::optional<std::int64_t> model_id = find_model_id(key);
        if (!model_id) {
            return base::fail(base::Code::missing_resource, "a model version needs its registered model");
        }
        const auto found = find_version_row(key, version.version);
        if (!found) {
            return std::unexpected(found.error());
        }
        const VersionRow before = found->value_or(VersionRow());
        std::int64_t id = before.id;
        if (!*found) {
            put_version_row(kInsertVersion, version, *model_id);
            id = connection_.getLastInsertRowid();
            run("UPDATE registry_models SET highest_version = ?1 WHERE id = ?2 AND highest_version < ?1",
                version.version,
                *model_id);
        } else if (!is_same_row(before.version, version)) {
            put_version_row(kUpdateVersion, version, id);
        }
        put_tags(kVersionTags, id, before.version.tags, version.tags);
        put_prompt_mark(*model_id, marks_prompt(before.version.tags), marks_prompt(version.tags));
        return {};
    });
}

base::Result<void> RegistryTransaction::erase_version(const ModelKey& key, std::int64_t version) {
    return guarded([&]() -> base::Result<void> {
        const std::optional<std::int64_t> model_id = find_model_id(key);
        if (!model_id) {
            return {};
        }
        run("DELETE FROM registry_aliases WHERE model_id = ? AND version = ?", *model_id, version);
        const auto found = find_version_row(key, version);
        if (!found) {
            return std::unexpected(found.error());
        }
        if (*found) {
            run("DELETE FROM registry_versions WHERE id = ?", (*found)->id);
            put_prompt_mark(*model_id, marks_prompt((*found)->version.tags), false);
        }
        return {};
    });
}

base::Result<void> RegistryTransaction::put_fact(std::string_view name, std::string_view value) {
    return guarded([&]() -> base::Result<void> {
        auto put = prepare(
            "INSERT INTO registry_facts (name, value) VALUES (?1, ?2)"
            " ON CONFLICT DO UPDATE SET value = ?2 WHERE value <> ?2",
            std::string(name));
        put->bind(2, value.data(), static_cast<int>(value.size()));
        put->exec();
        return {};
    });
}

void RegistryTransaction::put_version_row(std::string_view text, const ModelVersion& version, std::int64_t id) {
    run(text,
        version.version,
        version.creation_timestamp,
        version.last_updated_timestamp,
        version.user_id,
        version.current_stage,
        version.description,
        version.source,
        version.run_id,
        version.run_link,
        version.status,
        version.status_message,
        version.artifact_uri,
        to_column(version.unknown),
        id);
}

void RegistryTransaction::put_tags(const TagTexts& texts,
                                   std::int64_t owner_id,
                                   const std::vector<Tag>& before,
                                   const std::vector<Tag>& after) {
    for (std::size_t i = 0; i < after.size(); ++i) {
        if (i >= before.size() || before[i] != after[i]) {
            run(texts.put, static_cast<std::int64_t>(i), after[i].key, after[i].value, owner_id);
        }
    }
    if (before.size() > after.size()) {
        run(texts.cut, owner_id, static_cast<std::int64_t>(after.size()));
    }
}

void RegistryTransaction::put_aliases(std::int64_t model_id,
                                      const std::vector<Alias>& before,
                                      std::vector<Alias> after) {
    std::ranges::sort(after, {}, &Alias::name);
    std::vector<Alias> gone;
    std::ranges::set_difference(before, after, std::back_inserter(gone), {}, &Alias::name, &Alias::name);
    for (const Alias& alias : gone) {
        run("DELETE FROM registry_aliases WHERE model_id = ? AND name = ?", model_id, alias.name);
    }
    const auto precedes = [](const Alias& left, const Alias& right) {
        return std::tie(left.name, left.version) < std::tie(right.name, right.version);
    };
    std::vector<Alias> changed;
    std::ranges::set_difference(after, before, std::back_inserter(changed), precedes);
    for (const Alias& alias : changed) {
        run("INSERT INTO registry_aliases (model_id, name, version) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET version = excluded.version",
            model_id,
            alias.name,
            alias.version);
    }
}

void RegistryTransaction::put_prompt_mark(std::int64_t model_id, bool was_prompt, bool is_prompt) {
    if (was_prompt == is_prompt) {
        return;
    }
    run("UPDATE registry_models SET has_prompt_versions = ?1 WHERE id = ?2 AND has_prompt_versions <> ?1",
        is_prompt || has_prompt_version(model_id),
        model_id);
}

bool RegistryTransaction::has_prompt_version(std::int64_t model_id) {
    auto select = prepare(
        "SELECT EXISTS (SELECT 1 FROM registry_versions v CROSS JOIN registry_version_tags t ON t.version_id = v.id"
        " WHERE v.model_id = ? AND t.key = ? AND t.value = 'true')",
        model_id,
        std::string(registry::kPromptTag));
    select->executeStep();
    return select->getColumn(0).getInt() != 0;
}

}  // namespace storage
