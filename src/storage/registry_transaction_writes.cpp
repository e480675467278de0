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

constexpr std::string_view kPutModel =
    "INSERT INTO registry_models (workspace, name, creation_timestamp, last_updated_timestamp, description, tags,"
    " aliases, unknown, alias_count, is_prompt) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET creation_timestamp = excluded.creation_timestamp,"
    " last_updated_timestamp = excluded.last_updated_timestamp, description = excluded.description,"
    " tags = excluded.tags, aliases = excluded.aliases, unknown = excluded.unknown,"
    " alias_count = excluded.alias_count, is_prompt = excluded.is_prompt";

constexpr std::string_view kPutVersion =
    "INSERT INTO registry_versions (id, version, creation_timestamp, last_updated_timestamp, user_id, current_stage,"
    " description, source, run_id, run_link, status, status_message, artifact_uri, tags, unknown, model_id, workspace,"
    " name, is_prompt) SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, id, workspace, name, has_prompt_versions"
    " FROM registry_models WHERE id = ?"
    " ON CONFLICT DO UPDATE SET creation_timestamp = excluded.creation_timestamp,"
    " last_updated_timestamp = excluded.last_updated_timestamp, user_id = excluded.user_id,"
    " current_stage = excluded.current_stage, description = excluded.description, source = excluded.source,"
    " run_id = excluded.run_id, run_link = excluded.run_link, status = excluded.status,"
    " status_message = excluded.status_message, artifact_uri = excluded.artifact_uri, tags = excluded.tags,"
    " unknown = excluded.unknown";

constexpr TagTexts kModelTags{
    .put =
        "INSERT INTO registry_model_tags (model_id, key, value, workspace, name, is_prompt)"
        " SELECT id, ?, ?, workspace, name, is_prompt FROM registry_models WHERE id = ?"
        " ON CONFLICT DO UPDATE SET value = excluded.value",
    .erase = "DELETE FROM registry_model_tags WHERE model_id = ? AND key = ?",
};

constexpr TagTexts kVersionTags{
    .put =
        "INSERT INTO registry_version_tags (version_id, key, value, workspace, name, version, last_updated_timestamp,"
        " is_prompt) SELECT id, ?, ?, workspace, name, version, last_updated_timestamp, is_prompt"
        " FROM registry_versions WHERE id = ?"
        " ON CONFLICT DO UPDATE SET value = excluded.value",
    .erase = "DELETE FROM registry_version_tags WHERE version_id = ? AND key = ?",
};

bool marks_prompt(const std::vector<Tag>& tags) {
    return std::ranges::find(tags, Tag{std::string(registry::kPromptTag), "true"}) != tags.end();
}

// As it is read back.
RegisteredModel to_stored(RegisteredModel model) {
    std::ranges::sort(model.aliases, {}, &Alias::name);
    model.latest_versions.clear();
    return model;
}

ModelVersion without_aliases(ModelVersion version) {
    version.aliases.clear();
    return version;
}

}  // namespace

base::Result<void> RegistryTransaction::put_model(const std::string& workspace, const RegisteredModel& model) {
    return guarded([&]() -> base::Result<void> {
        const auto found = find_model_row({workspace, model.name});
        if (!found) {
            return std::unexpected(found.error());
        }
        const ModelRow before = found->value_or(ModelRow());
        const RegisteredModel after = to_stored(model);
        if (*found && before.model == after) {
            return {};
        }
        run(kPutModel,
            workspace,
            after.name,
            after.creation_timestamp,
            after.last_updated_timestamp,
            after.description,
            to_column(after.tags),
            to_column(after.aliases),
            to_column(after.unknown),
            static_cast<std::int64_t>(after.aliases.size()),
            marks_prompt(after.tags));
        put_tags(kModelTags, *found ? before.id : connection_.getLastInsertRowid(), before.model.tags, after.tags);
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
        if (version.version < 0 || version.version > kHighestVersion) {
            return base::fail(base::Code::invalid_argument,
                              fmt::format("a model version's number is from 0 to {}", kHighestVersion));
        }
        const ModelKey key{workspace, version.name};
        const std::optional<std::int64_t> model_id = find_model_id(key);
        if (!model_id) {
            return base::fail(base::Code::missing_resource, "a model version needs its registered model");
        }
        const auto found = find_version_row(key, version.version);
        if (!found) {
            return std::unexpected(found.error());
        }
        const ModelVersion before = without_aliases(found->value_or(VersionRow()).version);
        if (*found && before == without_aliases(version)) {
            return {};
        }
        const std::int64_t id = put_version_row(*model_id, version);
        put_tags(kVersionTags, id, before.tags, version.tags);
        put_prompt_mark(*model_id, marks_prompt(before.tags), marks_prompt(version.tags));
        if (!*found) {
            run("UPDATE registry_models SET highest_version = ?1 WHERE id = ?2 AND highest_version < ?1",
                version.version,
                *model_id);
        }
        return {};
    });
}

base::Result<void> RegistryTransaction::erase_version(const ModelKey& key, std::int64_t version) {
    return guarded([&]() -> base::Result<void> {
        const auto model = find_model_row(key);
        const auto found = find_version_row(key, version);
        if (!model || !found) {
            return std::unexpected(!model ? model.error() : found.error());
        }
        if (*model) {
            std::vector<Alias> aliases = (*model)->model.aliases;
            if (std::erase_if(aliases, [&](const Alias& alias) { return alias.version == version; }) > 0) {
                put_aliases((*model)->id, aliases);
            }
        }
        if (*found) {
            run("DELETE FROM registry_versions WHERE id = ?", (*found)->id);
            put_prompt_mark((*model)->id, marks_prompt((*found)->version.tags), false);
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

std::int64_t RegistryTransaction::put_version_row(std::int64_t model_id, const ModelVersion& version) {
    const std::int64_t id = (model_id << 32) | version.version;
    run(kPutVersion,
        id,
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
        to_column(version.tags),
        to_column(version.unknown),
        model_id);
    return id;
}

void RegistryTransaction::put_aliases(std::int64_t model_id, const std::vector<Alias>& aliases) {
    run("UPDATE registry_models SET aliases = ?, alias_count = ? WHERE id = ?",
        to_column(aliases),
        static_cast<std::int64_t>(aliases.size()),
        model_id);
}

void RegistryTransaction::put_tags(const TagTexts& texts,
                                   std::int64_t owner_id,
                                   std::vector<Tag> before,
                                   std::vector<Tag> after) {
    const auto precedes = [](const Tag& left, const Tag& right) {
        return std::tie(left.key, left.value) < std::tie(right.key, right.value);
    };
    std::ranges::sort(before, precedes);
    std::ranges::sort(after, precedes);
    std::vector<Tag> gone;
    std::ranges::set_difference(before, after, std::back_inserter(gone), {}, &Tag::key, &Tag::key);
    for (const Tag& tag : gone) {
        run(texts.erase, owner_id, tag.key);
    }
    std::vector<Tag> changed;
    std::ranges::set_difference(after, before, std::back_inserter(changed), precedes);
    for (const Tag& tag : changed) {
        run(texts.put, tag.key, tag.value, owner_id);
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
