#include "replica/reread.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "base/strings.hpp"
#include "registry/query.hpp"

namespace replica {

namespace {

constexpr auto kLockPatience = std::chrono::seconds(30);

bool is_prompt(const registry::RegisteredModel& model) {
    return std::ranges::any_of(model.tags, [](const registry::Tag& tag) {
        return tag.key == registry::kPromptTag && base::iequals(tag.value, "true");
    });
}

// What MLflow lists of the model. A name that no filter can say leaves the latest versions, which the model itself
// shows.
base::Task<base::Result<void>> list_versions(UpstreamReader& reader, ModelView& view) {
    std::optional<std::string> filter = filter_of_name(view.key.name);
    if (!filter) {
        co_return base::Result<void>();
    }
    Page page{view.key.workspace,
              *filter + (is_prompt(*view.model) ? std::string(" AND ") + registry::kPromptFilter : ""),
              {}};
    do {
        base::Result<PageOf<registry::ModelVersion>> answer = co_await reader.list_versions(page);
        if (!answer) {
            co_return std::unexpected(answer.error());
        }
        std::ranges::copy_if(answer->items, std::back_inserter(view.versions), [&](const auto& version) {
            return version.name == view.key.name;
        });
        page.token = answer->next_token;
    } while (!page.token.empty());
    co_return base::Result<void>();
}

// Versions that may exist although no list showed them: those the replica has, and, when nothing could be listed, all
// up to the newest.
std::set<std::int64_t> unlisted(const ModelView& view, const std::vector<std::int64_t>& stored) {
    std::set<std::int64_t> numbers(stored.begin(), stored.end());
    std::int64_t newest = 0;
    for (const registry::ModelVersion& version : view.model->latest_versions) {
        newest = std::max(newest, version.version);
    }
    if (view.versions.empty()) {
        for (std::int64_t number = 1; number <= newest; ++number) {
            numbers.insert(number);
        }
    }
    for (const registry::ModelVersion& version : view.versions) {
        numbers.erase(version.version);
    }
    return numbers;
}

base::Task<base::Result<void>> look_for(UpstreamReader& reader, ModelView& view, std::set<std::int64_t> numbers) {
    for (const std::int64_t number : numbers) {
        base::Result<std::optional<registry::ModelVersion>> version = co_await reader.find_version(view.key, number);
        if (!version) {
            co_return std::unexpected(version.error());
        }
        if (*version) {
            view.versions.push_back(std::move(**version));
        } else {
            view.gone_versions.push_back(number);
        }
    }
    co_return base::Result<void>();
}

}  // namespace

base::Task<base::Result<ModelView>> read_whole(Replica& replica,
                                               UpstreamReader& reader,
                                               registry::ModelKey key,
                                               std::vector<std::int64_t> known) {
    ModelView view;
    view.key = std::move(key);
    view.asked = replica.ask();
    view.is_whole = true;
    base::Result<std::optional<registry::RegisteredModel>> model = co_await reader.find_model(view.key);
    if (!model) {
        co_return std::unexpected(model.error());
    }
    view.is_gone = !model->has_value();
    view.model = std::move(*model);
    if (view.model) {
        const base::Result<void> listed = co_await list_versions(reader, view);
        if (!listed) {
            co_return std::unexpected(listed.error());
        }
        const base::Result<void> looked = co_await look_for(reader, view, unlisted(view, known));
        if (!looked) {
            co_return std::unexpected(looked.error());
        }
    }
    co_return view;
}

base::Task<base::Result<MergeOutcome>> reread(net::Worker& worker,
                                              Replica& replica,
                                              UpstreamReader& reader,
                                              Reread what) {
    std::vector<registry::ModelKey> names{what.key};
    if (!what.renamed_from.empty()) {
        names.push_back({what.key.workspace, what.renamed_from});
    }
    const base::Result<std::vector<std::int64_t>> stored = co_await replica.version_numbers(worker, names);
    if (!stored) {
        co_return std::unexpected(stored.error());
    }
    base::Result<ModelView> view = co_await read_whole(replica, reader, what.key, *stored);
    if (!view) {
        co_return std::unexpected(view.error());
    }
    view->renamed_from = what.renamed_from;
    Replica::Merge merge;
    merge.is_within_write = what.is_within_write;
    merge.act = what.act;
    merge.views.push_back(std::move(*view));
    base::Result<MergeOutcome> merged = co_await replica.merge(worker, std::move(merge));
    co_return merged;
}

base::Task<base::Result<MergeOutcome>> reread_locked(net::Worker& worker,
                                                     Replica& replica,
                                                     UpstreamReader& reader,
                                                     registry::ModelKey key) {
    ModelLocks::Wait wait;
    const base::Result<ModelLocks::Held> held =
        co_await replica.locks.lock(worker, key, replica.clock().now() + kLockPatience, wait);
    if (!held) {
        co_return std::unexpected(held.error());
    }
    base::Result<MergeOutcome> outcome = co_await reread(worker, replica, reader, {.key = key});
    if (outcome) {
        co_await replica.unmark(worker, std::move(key));
    }
    co_return outcome;
}

}  // namespace replica
