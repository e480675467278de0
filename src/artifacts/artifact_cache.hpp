// Artifacts of MLflow kept on the disk, within a bound, to be handed out while MLflow can't.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "artifacts/artifact_metrics.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "storage/artifact_index.hpp"
#include "storage/content_store.hpp"

namespace artifacts {

struct CacheSettings {
    std::int64_t limit = 0;                               // bytes on the disk
    std::uint64_t keep_free = std::uint64_t{256} << 20U;  // of the disk, for what must not be lost
};

class Filling;

// An artifact that can be handed out. It stays while this lives.
struct OpenArtifact {
    storage::ArtifactKey key;
    storage::Digest digest{};
    std::shared_ptr<const storage::ContentReader> reader;
    std::string fields;
    base::WallTime seen_at;
    std::shared_ptr<void> lease;
};

// Safe from any thread. Calls block, unless they say that they don't.
class ArtifactCache {
public:
    struct Deps {
        storage::ContentStore& files;
        storage::ArtifactIndex& index;
        std::function<base::Result<bool>(const std::string& path)> has_owner;  // a registered version consists of it
        const base::Clock& clock;
        telemetry::Metrics& metrics;
    };

    ArtifactCache(Deps deps, CacheSettings settings);

    // Before anything else: removes what a killed process left.
    base::Result<void> open();

    // Before MLflow is asked for it, so that a change that comes between is noticed. Does not block.
    std::shared_ptr<Filling> begin(storage::ArtifactKey key);

    // nullopt: it is not here, or not trusted.
    base::Result<std::optional<OpenArtifact>> find(const storage::ArtifactKey& key);

    // nullopt: it is not here, or not trusted.
    base::Result<std::optional<std::int64_t>> size_of(const storage::ArtifactKey& key);

    // The piece of what is being handed out. After data_loss it is gone from the cache.
    base::Result<std::string> read_piece(const OpenArtifact& artifact, std::size_t index);

    // While one lives, MLflow may be changing what is at `path`: nothing about it is taken. What was known is no longer
    // handed out, even if settle() fails. Does not block.
    class Change {
    public:
        Change(ArtifactCache& cache, std::string path);
        Change(const Change&) = delete;
        Change& operator=(const Change&) = delete;
        ~Change();

    private:
        ArtifactCache& cache_;
        std::string path_;
    };

    // Makes lasting what changes have made untrue.
    base::Result<void> settle();

    // Makes lasting how many requests it answered and could not answer, for whoever asks the data folder.
    base::Result<void> note_requests();

    // Those that an alias leads to now.
    base::Result<void> set_pins(const std::vector<storage::Pin>& pins);

    // As last set, with what is known of each.
    base::Result<std::vector<storage::Pin>> pins();
    base::Result<void> note_pin(const std::string& root, bool is_whole, const std::string& problem);

    // Whether a file of that size fits beside what is pinned already; exhausted, with the figures, where not.
    base::Result<void> can_pin(std::int64_t size);

    // Whether nothing is on its way in or out. Does not block.
    [[nodiscard]] bool is_idle() const;

    [[nodiscard]] std::int64_t limit() const {
        return settings_.limit;
    }

    CacheMetrics metrics;

private:
    friend class Filling;

    base::Result<void> remove_leftovers();
    base::Result<void> reserve(std::int64_t bytes);
    base::Result<void> make_room(std::int64_t bytes);
    base::Result<void> publish(Filling& filling);
    void drop(const storage::ArtifactKey& key, const storage::Digest& digest, const base::Error& error);
    base::Result<void> remove_unwanted();
    base::Result<void> note_usage();
    [[nodiscard]] bool is_trusted(const std::string& path) const;
    [[nodiscard]] bool is_in_use(const storage::Digest& digest) const;

    const Deps deps_;
    const CacheSettings settings_;
    std::atomic<std::int64_t> reserved_{0};  // by files being written
    std::atomic<std::uint64_t> noted_hits_{0};
    std::atomic<std::uint64_t> noted_misses_{0};
    std::mutex writing_;        // held while the index changes; taken before mutex_
    mutable std::mutex mutex_;  // guards all below; never held while blocking
    std::list<Filling*> fillings_;
    std::multiset<std::string> changing_;
    std::set<std::string> unsettled_;  // changed, and not yet forgotten
    bool must_forget_all_ = false;     // more of them than are remembered
    std::multiset<storage::Digest> in_use_;
};

}  // namespace artifacts
