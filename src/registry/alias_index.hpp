// The answers to get-by-alias in memory, so that the call serving fleets make all the time needs no store.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "registry/entities.hpp"

namespace registry {

// Safe from any thread.
class AliasIndex {
public:
    using Answer = std::shared_ptr<const std::string>;           // the bytes of {"model_version": ...}
    using Answers = std::map<std::string, Answer, std::less<>>;  // of one model, by alias

    // Null: not known here, which does not say that there is none.
    [[nodiscard]] Answer find(std::string_view workspace, std::string_view name, std::string_view alias) const;

    // In place of all that was known of the model.
    void replace(const ModelKey& key, Answers answers);

    void erase(const ModelKey& key);

private:
    struct KeyView {
        std::string_view workspace;
        std::string_view name;

        bool operator==(const KeyView&) const = default;
    };

    static KeyView view(const ModelKey& key) {
        return {key.workspace, key.name};
    }

    static KeyView view(const KeyView& key) {
        return key;
    }

    struct Hash {
        using is_transparent = void;

        std::size_t operator()(const auto& key) const {
            const KeyView parts = view(key);
            return std::hash<std::string_view>()(parts.workspace) * 31U + std::hash<std::string_view>()(parts.name);
        }
    };

    struct Equal {
        using is_transparent = void;

        bool operator()(const auto& left, const auto& right) const {
            return view(left) == view(right);
        }
    };

    // Models are spread over these, so that look-ups seldom wait for one another.
    struct Shard {
        mutable std::mutex mutex;
        std::unordered_map<ModelKey, Answers, Hash, Equal> models;  // protected by mutex
    };

    static constexpr std::size_t kShards = 64;

    const Shard& shard(const KeyView& key) const {
        return shards_.at(Hash()(key) % kShards);
    }

    Shard& shard(const KeyView& key) {
        return shards_.at(Hash()(key) % kShards);
    }

    std::array<Shard, kShards> shards_;
};

}  // namespace registry
