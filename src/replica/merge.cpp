#include "replica/merge.hpp"

#include <algorithm>
#include <utility>

namespace replica {

namespace {

template <class Entity>
void order_tags(Entity& entity) {
    std::ranges::sort(entity.tags, {}, &registry::Tag::key);
}

// What is compared: MLflow gives tags and aliases in any order, and rows hold no more than these.
registry::RegisteredModel row_of(registry::RegisteredModel model) {
    order_tags(model);
    std::ranges::sort(model.aliases, {}, &registry::Alias::name);
    model.latest_versions.clear();
    return model;
}

registry::ModelVersion row_of(registry::ModelVersion version) {
    order_tags(version);
    version.aliases.clear();
    return version;
}

std::vector<registry::ModelVersion> rows_of(std::vector<registry::ModelVersion> versions) {
    std::ranges::transform(versions, versions.begin(), [](registry::ModelVersion& version) {
        version.artifact_uri.clear();
        return row_of(std::move(version));
    });
    std::ranges::sort(versions, {}, &registry::ModelVersion::version);
    return versions;
}

// The aliases of one version as a single read showed them, among all of its model's.
std::vector<registry::Alias> with_aliases_of(std::vector<registry::Alias> all, const registry::ModelVersion& version) {
    std::erase_if(all, [&](const registry::Alias& alias) {
        return alias.version == version.version || std::ranges::count(version.aliases, alias.name) > 0;
    });
    for (const std::string& name : version.aliases) {
        all.push_back({name, version.version});
    }
    return all;
}

class Merging {
public:
    Merging(registry::Writer& writer, const ModelView& view) : writer_(writer), view_(view) {}

    base::Result<Merged> run(Filling filling) {
        base::Result<void> done = {};
        if (view_.is_gone) {
            done = erase_model(view_.key);
        } else {
            done = merge_model(filling);
            if (done && !merged_.is_torn) {
                done = merge_versions();
            }
            if (done && !merged_.is_torn) {
                done = check_latest_versions();
            }
        }
        if (!done) {
            return std::unexpected(done.error());
        }
        return std::move(merged_);
    }

private:
    base::Result<void> erase_model(const registry::ModelKey& key) {
        base::Result<std::optional<registry::RegisteredModel>> stored = writer_.find_model(key);
        if (!stored || !*stored) {
            return stored ? base::Result<void>() : std::unexpected(stored.error());
        }
        base::Result<std::vector<std::int64_t>> numbers = writer_.version_numbers(key);
        if (!numbers) {
            return std::unexpected(numbers.error());
        }
        const auto rows = static_cast<std::int64_t>(numbers->size()) + 1;
        merged_.changes += rows;
        merged_.erased += rows;
        merged_.is_other_model = true;
        return writer_.erase_model(key);
    }

    // A model that was renamed keeps its rows, and with them what is known of its artifacts.
    base::Result<void> follow_rename() {
        const registry::ModelKey old_key{view_.key.workspace, view_.renamed_from};
        base::Result<std::optional<registry::RegisteredModel>> old = writer_.find_model(old_key);
        if (!old || !*old || (*old)->creation_timestamp != view_.model->creation_timestamp) {
            return old ? base::Result<void>() : std::unexpected(old.error());
        }
        base::Result<void> erased = erase_model(view_.key);
        if (!erased) {
            return erased;
        }
        ++merged_.changes;
        return writer_.rename_model(old_key, view_.key.name);
    }

    base::Result<void> merge_model(Filling filling) {
        if (view_.model && !view_.renamed_from.empty() && view_.renamed_from != view_.key.name) {
            base::Result<void> followed = follow_rename();
            if (!followed) {
                return followed;
            }
        }
        base::Result<std::optional<registry::RegisteredModel>> stored = writer_.find_model(view_.key);
        if (!stored) {
            return std::unexpected(stored.error());
        }
        const bool is_other =
            view_.model && *stored && (*stored)->creation_timestamp != view_.model->creation_timestamp;
        const bool may_insert = view_.model && (view_.is_whole || filling == Filling::rows);
        if ((!*stored || is_other) && !may_insert) {
            merged_.is_torn = true;
            return {};
        }
        if (is_other) {
            base::Result<void> erased = erase_model(view_.key);
            if (!erased) {
                return erased;
            }
            stored->reset();
        }
        registry::RegisteredModel model = view_.model ? *view_.model : **stored;
        if (!view_.model && view_.knows_aliases) {
            for (const registry::ModelVersion& version : view_.versions) {
                model.aliases = with_aliases_of(std::move(model.aliases), version);
            }
        }
        model = row_of(std::move(model));
        aliases_ = model.aliases;
        if (*stored && model == row_of(**stored)) {
            return {};
        }
        ++merged_.changes;
        merged_.aliases_changed = !*stored || model.aliases != row_of(**stored).aliases;
        return writer_.put_model(view_.key.workspace, model);
    }

    base::Result<void> merge_versions() {
        for (const registry::ModelVersion& version : view_.versions) {
            base::Result<void> merged = merge_version(version);
            if (!merged) {
                return merged;
            }
        }
        if (view_.model) {
            for (const registry::ModelVersion& version : view_.model->latest_versions) {
                base::Result<void> merged = merge_version(version);
                if (!merged) {
                    return merged;
                }
            }
        }
        for (const std::int64_t number : view_.gone_versions) {
            base::Result<std::optional<registry::ModelVersion>> stored = writer_.find_version(view_.key, number);
            if (!stored) {
                return std::unexpected(stored.error());
            }
            if (*stored) {
                ++merged_.changes;
                ++merged_.erased;
                merged_.aliases_changed = true;
                base::Result<void> erased = writer_.erase_version(view_.key, number);
                if (!erased) {
                    return erased;
                }
            }
        }
        return {};
    }

    base::Result<void> merge_version(const registry::ModelVersion& seen) {
        base::Result<std::optional<registry::ModelVersion>> stored = writer_.find_version(view_.key, seen.version);
        if (!stored) {
            return std::unexpected(stored.error());
        }
        registry::ModelVersion version = row_of(seen);
        // Where the artifacts of a version are never changes, and only a question of its own tells it.
        const bool is_same = *stored && (*stored)->creation_timestamp == version.creation_timestamp &&
                             (*stored)->source == version.source;
        if (version.artifact_uri.empty() && is_same) {
            version.artifact_uri = (*stored)->artifact_uri;
        }
        if (version.artifact_uri.empty()) {
            merged_.without_uri.push_back(
                {version.version, std::ranges::count(aliases_, version.version, &registry::Alias::version) > 0});
        }
        if (*stored && version == row_of(**stored)) {
            return {};
        }
        ++merged_.changes;
        return writer_.put_version(view_.key.workspace, version);
    }

    // A version that was deleted or moved elsewhere shows by its absence here only.
    base::Result<void> check_latest_versions() {
        if (!view_.model || view_.is_whole) {
            return {};
        }
        base::Result<std::vector<registry::ModelVersion>> latest = writer_.latest_versions(view_.key, {});
        if (!latest) {
            return std::unexpected(latest.error());
        }
        merged_.is_torn = rows_of(std::move(*latest)) != rows_of(view_.model->latest_versions);
        return {};
    }

    registry::Writer& writer_;
    const ModelView& view_;
    std::vector<registry::Alias> aliases_;
    Merged merged_;
};

}  // namespace

base::Result<Merged> merge(registry::Writer& writer, const ModelView& view, Filling filling) {
    return Merging(writer, view).run(filling);
}

}  // namespace replica
