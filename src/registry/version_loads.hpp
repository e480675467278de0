// Who was last given which version of a model to load: what a rollback touches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "registry/alias_index.hpp"
#include "registry/call.hpp"
#include "registry/entities.hpp"

namespace registry {

// The last time a key was given a version: the answer to an alias, the version itself, or where its files are.
struct VersionLoad {
    ModelKey model;
    std::int64_t version = 0;
    Author by{};
    Timestamp at = 0;

    bool operator==(const VersionLoad&) const = default;
};

// What a call that was answered with success gave its caller; nothing when it is about no version.
std::optional<VersionLoad> load_of(const Call& call, std::string_view answer, Timestamp at);

// What one worker has given out since it was last asked. Its lock is the worker's own but for the moment of take().
// Safe from any thread.
class LoadNotes {
public:
    // Beyond so many between two take() nothing more is noted.
    static constexpr std::size_t kCapacity = 10'000;

    // An answer out of the alias index; looked into later. The key's texts outlive the notes.
    void note(std::string_view key_id,
              std::string_view key_name,
              std::string_view workspace,
              const AliasIndex::Answer& answer,
              Timestamp at);

    void note(VersionLoad load);

    std::vector<VersionLoad> take();

private:
    struct Given {
        std::string_view key_id;
        std::string_view key_name;
        std::string workspace;
        AliasIndex::Answer answer;
        Timestamp at = 0;
    };

    using Place = std::pair<const void*, const void*>;  // of the key's id, of the answer

    struct HashPlace {
        std::size_t operator()(const Place& place) const {
            return std::hash<const void*>()(place.first) * 31U + std::hash<const void*>()(place.second);
        }
    };

    std::mutex mutex_;  // guards all below
    std::unordered_map<Place, Given, HashPlace> given_;
    std::vector<VersionLoad> loads_;
};

// All of them, the most recent kCapacity by key and version. Safe from any thread.
class VersionLoads {
public:
    static constexpr std::size_t kCapacity = 10'000;

    explicit VersionLoads(std::size_t workers) : notes_(workers) {}

    // Of one worker, by its index.
    [[nodiscard]] LoadNotes& notes(std::size_t worker) {
        return notes_.at(worker);
    }

    // What was kept before; nothing of it counts as new.
    void restore(const std::vector<VersionLoad>& loads);

    // Of one model, the newest first.
    std::vector<VersionLoad> of(const ModelKey& model);

    // What came since the last call.
    std::vector<VersionLoad> take_new();

    // Could not be kept: they count as new again.
    void give_back(const std::vector<VersionLoad>& loads);

private:
    struct Key {
        ModelKey model;
        std::int64_t version = 0;
        std::string key_id;

        auto operator<=>(const Key&) const = default;
    };

    struct Entry {
        std::string key_name;
        Timestamp at = 0;
        bool is_new = false;
    };

    void collect();
    void put(const VersionLoad& load, bool is_new);

    std::vector<LoadNotes> notes_;
    std::mutex mutex_;  // guards all below
    std::map<Key, Entry> loads_;
    std::set<std::pair<Timestamp, Key>> by_time_;
};

}  // namespace registry
