#include "registry/alias_index.hpp"

#include <utility>

namespace registry {

AliasIndex::Answer AliasIndex::find(std::string_view workspace, std::string_view name, std::string_view alias) const {
    const KeyView key{workspace, name};
    const Shard& shard = this->shard(key);
    const std::lock_guard lock(shard.mutex);
    const auto model = shard.models.find(key);
    if (model == shard.models.end()) {
        return nullptr;
    }
    const auto answer = model->second.find(alias);
    return answer == model->second.end() ? nullptr : answer->second;
}

void AliasIndex::replace(const ModelKey& key, Answers answers) {
    if (answers.empty()) {
        erase(key);
        return;
    }
    Shard& shard = this->shard(view(key));
    {
        const std::lock_guard lock(shard.mutex);
        shard.models[key].swap(answers);
    }
}

void AliasIndex::erase(const ModelKey& key) {
    Shard& shard = this->shard(view(key));
    const std::lock_guard lock(shard.mutex);
    shard.models.erase(key);
}

}  // namespace registry
