// One artifact on its way into the cache.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>

#include "artifacts/artifact_cache.hpp"
#include "base/error.hpp"
#include "http/message.hpp"
#include "storage/content_store.hpp"

namespace artifacts {

// What MLflow's answer says of the artifact.
struct ArtifactHead {
    std::string fields;                // those to be answered with it again
    std::optional<std::int64_t> size;  // where it is known beforehand
};

// Nothing for an answer that is not the whole artifact as it is stored. Pure.
std::optional<ArtifactHead> artifact_head(const http::ResponseHead& head);

// prepare(), append() in order, finish(): they block, one at a time, from any thread.
class Filling {
public:
    Filling(ArtifactCache& cache, storage::ArtifactKey key);
    Filling(const Filling&) = delete;
    Filling& operator=(const Filling&) = delete;
    ~Filling();

    // False: it belongs to no registered version, is here already, or could not fit.
    base::Result<bool> prepare(ArtifactHead head);

    // At most storage::kPieceSize, and only the last one less.
    base::Result<void> append(std::string piece);

    // It is whole: from now on it may be handed out.
    base::Result<void> finish();

    [[nodiscard]] const storage::ArtifactKey& key() const {
        return key_;
    }

    [[nodiscard]] ArtifactCache& cache() {
        return cache_;
    }

private:
    friend class ArtifactCache;

    base::Result<void> write(std::string_view piece);
    [[nodiscard]] bool is_known_already() const;

    ArtifactCache& cache_;
    const storage::ArtifactKey key_;
    std::list<Filling*>::iterator place_;  // guarded by the cache
    std::atomic<bool> is_void_{false};     // MLflow may have changed it meanwhile
    ArtifactHead head_;
    std::optional<storage::KeptArtifact> known_;
    std::string first_;  // held back: what is one piece may be here already
    std::optional<storage::ContentWriter> writer_;
    std::int64_t size_ = 0;
    std::int64_t reserved_ = 0;
};

}  // namespace artifacts
