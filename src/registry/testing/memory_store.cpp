#include "registry/testing/memory_store.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ensure.hpp"
#include "registry/testing/matching.hpp"

namespace registry::testing {

namespace {

using State = MemoryStore::State;
using Model = MemoryStore::Model;

template <class Row>
std::vector<Row> sorted_page(const Query& query, std::vector<Row> rows) {
    std::ranges::sort(rows, [&](const Row& left, const Row& right) { return precedes(query, left, right); });
    const auto size = static_cast<std::int64_t>(rows.size());
    const auto first = rows.begin() + std::min(query.offset, size);
    const auto last = rows.begin() + std::min(query.offset + query.limit, size);
    return {first, last};
}

// One per transaction, which a read does not change.
class Transaction final : public Writer {
public:
    explicit Transaction(State state) : state_(std::move(state)) {}

    State take() {
        return std::move(state_);
    }

    base::Result<std::optional<RegisteredModel>> find_model(const ModelKey& key) override {
        const Model* model = find(key);
        return model == nullptr ? std::nullopt : std::optional(model->entity);
    }

    base::Result<std::optional<ModelVersion>> find_version(const ModelKey& key, std::int64_t number) override {
        const Model* model = find(key);
        if (model == nullptr || !model->versions.contains(number)) {
            return std::nullopt;
        }
        ModelVersion version = model->versions.at(number);
        for (const Alias& alias : model->entity.aliases) {
            if (alias.version == number) {
                version.aliases.push_back(alias.name);
            }
        }
        return version;
    }

    base::Result<std::vector<ModelVersion>> latest_versions(const ModelKey& key,
                                                            const std::vector<std::string>& stages) override {
        std::vector<ModelVersion> latest;
        for (const auto& [number, version] : versions_of(key)) {
            if (!stages.empty() && std::ranges::find(stages, version.current_stage) == stages.end()) {
                continue;
            }
            const auto seen = std::ranges::find(latest, version.current_stage, &ModelVersion::current_stage);
            if (seen == latest.end()) {
                latest.push_back(version);
            } else {
                *seen = version;
            }
        }
        return latest;
    }

    base::Result<std::int64_t> highest_version(const ModelKey& key) override {
        const Model* model = find(key);
        return model == nullptr ? 0 : model->highest_version;
    }

    base::Result<std::vector<RegisteredModel>> search_models(const Query& query) override {
        std::vector<RegisteredModel> found;
        for (const auto& [key, model] : state_.models) {
            const bool is_hidden = query.hides_prompts && is_prompt(model.entity.tags);
            if (key.workspace == query.workspace && !is_hidden && matches(query, model.entity)) {
                found.push_back(model.entity);
                found.back().latest_versions = latest_versions(key, {}).value();
            }
        }
        return sorted_page(query, std::move(found));
    }

    base::Result<std::vector<ModelVersion>> search_versions(const Query& query) override {
        std::vector<ModelVersion> found;
        for (const auto& [key, model] : state_.models) {
            const bool is_hidden = query.hides_prompts && std::ranges::any_of(model.versions, [](const auto& entry) {
                                       return is_prompt(entry.second.tags);
                                   });
            if (key.workspace != query.workspace || is_hidden) {
                continue;
            }
            for (const auto& [number, version] : model.versions) {
                if (matches(query, version)) {
                    found.push_back(version);
                }
            }
        }
        return sorted_page(query, std::move(found));
    }

    base::Result<std::vector<std::int64_t>> version_numbers(const ModelKey& key) override {
        std::vector<std::int64_t> numbers;
        for (const auto& [number, version] : versions_of(key)) {
            numbers.push_back(number);
        }
        return numbers;
    }

    base::Result<std::vector<ModelKey>> list_models(const std::optional<ModelKey>& after, std::size_t limit) override {
        std::vector<ModelKey> keys;
        auto entry = after ? state_.models.upper_bound(*after) : state_.models.begin();
        for (; entry != state_.models.end() && keys.size() < limit; ++entry) {
            keys.push_back(entry->first);
        }
        return keys;
    }

    base::Result<std::vector<AliasedModel>> list_aliased_models(const std::optional<ModelKey>& after,
                                                                std::size_t limit) override {
        std::vector<AliasedModel> models;
        auto entry = after ? state_.models.upper_bound(*after) : state_.models.begin();
        for (; entry != state_.models.end() && models.size() < limit; ++entry) {
            if (!entry->second.entity.aliases.empty()) {
                models.push_back({entry->first, entry->second.entity.aliases});
            }
        }
        return models;
    }

    AliasHistory& alias_history() override {
        return state_.history;
    }

    base::Result<Counts> counts() override {
        Counts counts;
        for (const auto& [key, model] : state_.models) {
            ++counts.models;
            counts.versions += static_cast<std::int64_t>(model.versions.size());
            counts.aliases += static_cast<std::int64_t>(model.entity.aliases.size());
        }
        return counts;
    }

    base::Result<std::optional<std::string>> find_fact(std::string_view name) override {
        const auto fact = state_.facts.find(name);
        return fact == state_.facts.end() ? std::nullopt : std::optional(fact->second);
    }

    base::Result<void> put_model(const std::string& workspace, const RegisteredModel& entity) override {
        Model& model = state_.models[{workspace, entity.name}];
        model.entity = entity;
        model.entity.latest_versions.clear();
        std::ranges::sort(model.entity.aliases, {}, &Alias::name);
        return {};
    }

    base::Result<void> erase_model(const ModelKey& key) override {
        state_.models.erase(key);
        return {};
    }

    base::Result<void> rename_model(const ModelKey& key, const std::string& new_name) override {
        auto node = state_.models.extract(key);
        if (node.empty()) {
            return {};
        }
        node.key().name = new_name;
        node.mapped().entity.name = new_name;
        for (auto& [number, version] : node.mapped().versions) {
            version.name = new_name;
        }
        ENSURE(state_.models.insert(std::move(node)).inserted, "the new name must be free");
        return {};
    }

    base::Result<void> put_version(const std::string& workspace, const ModelVersion& version) override {
        Model& model = state_.models.at({workspace, version.name});
        model.highest_version = std::max(model.highest_version, version.version);
        model.versions[version.version] = version;
        model.versions[version.version].aliases.clear();
        return {};
    }

    base::Result<void> erase_version(const ModelKey& key, std::int64_t number) override {
        if (const auto model = state_.models.find(key); model != state_.models.end()) {
            model->second.versions.erase(number);
            std::erase_if(model->second.entity.aliases, [&](const Alias& alias) { return alias.version == number; });
        }
        return {};
    }

    base::Result<void> put_fact(std::string_view name, std::string_view value) override {
        state_.facts.insert_or_assign(std::string(name), std::string(value));
        return {};
    }

private:
    const Model* find(const ModelKey& key) const {
        const auto model = state_.models.find(key);
        return model == state_.models.end() ? nullptr : &model->second;
    }

    std::map<std::int64_t, ModelVersion> versions_of(const ModelKey& key) const {
        const Model* model = find(key);
        return model == nullptr ? std::map<std::int64_t, ModelVersion>{} : model->versions;
    }

    State state_;
};

}  // namespace

std::shared_ptr<const State> MemoryStore::state() {
    const std::lock_guard lock(mutex_);
    return state_;
}

base::Result<void> MemoryStore::read(const std::function<base::Result<void>(Reader&)>& work) {
    Transaction transaction(*state());
    return work(transaction);
}

base::Result<void> MemoryStore::write(const std::function<base::Result<void>(Writer&)>& work) {
    const std::lock_guard turn(writing_);
    Transaction transaction(*state());
    const auto done = work(transaction);
    if (done) {
        const std::lock_guard lock(mutex_);
        state_ = std::make_shared<State>(transaction.take());
    }
    return done;
}

}  // namespace registry::testing
