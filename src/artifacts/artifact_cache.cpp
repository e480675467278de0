#include "artifacts/artifact_cache.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "artifacts/artifact_call.hpp"
#include "artifacts/filling.hpp"
#include "telemetry/log.hpp"

#include <fmt/format.h>

namespace artifacts {

namespace {

constexpr std::size_t kMaxUnsettled = 1000;

}  // namespace

ArtifactCache::ArtifactCache(Deps deps, CacheSettings settings)
    : metrics(deps.metrics, settings.limit), deps_(std::move(deps)), settings_(settings) {}

base::Result<void> ArtifactCache::open() {
    const std::lock_guard writing(writing_);
    if (const auto tidied = remove_leftovers(); !tidied) {
        return tidied;
    }
    // The limit may be smaller than last time.
    const auto fits = make_room(0);
    return fits || fits.error().code == base::Code::exhausted ? note_usage() : fits;
}

// The caller holds writing_.
base::Result<void> ArtifactCache::remove_leftovers() {
    const base::Result<storage::FileDescriptor> lock = deps_.files.lock();
    const auto contents = lock ? deps_.index.list_contents() : std::unexpected(lock.error());
    if (!contents) {
        return std::unexpected(contents.error());
    }
    std::unordered_set<std::string> known;
    for (const storage::ArtifactIndex::Listed& listed : *contents) {
        if (deps_.files.read(listed.content)) {
            known.insert(storage::to_hex(listed.content.digest));
        } else if (const auto forgotten = deps_.index.forget_content(listed.content.digest); !forgotten) {
            return forgotten;
        }
    }
    const std::size_t removed =
        deps_.files.remove_leftovers([&known](const std::string& name) { return known.contains(name); });
    if (removed > 0) {
        telemetry::log_info("artifact_cache_tidied", {{"files_removed", removed}});
    }
    const auto unwanted = deps_.index.take_unwanted();
    return unwanted ? deps_.index.removed(*unwanted) : std::unexpected(unwanted.error());
}

std::shared_ptr<Filling> ArtifactCache::begin(storage::ArtifactKey key) {
    return std::make_shared<Filling>(*this, std::move(key));
}

bool ArtifactCache::is_trusted(const std::string& path) const {
    const std::lock_guard guard(mutex_);
    const auto touches = [&path](const std::string& changed) { return overlap(path, changed); };
    return !must_forget_all_ && std::ranges::none_of(changing_, touches) && std::ranges::none_of(unsettled_, touches);
}

bool ArtifactCache::is_in_use(const storage::Digest& digest) const {
    const std::lock_guard guard(mutex_);
    return in_use_.contains(digest);
}

base::Result<std::optional<OpenArtifact>> ArtifactCache::find(const storage::ArtifactKey& key) {
    if (!is_trusted(key.path)) {
        return std::nullopt;
    }
    auto kept = deps_.index.find(key);
    if (!kept) {
        return std::unexpected(kept.error());
    }
    if (!*kept) {
        return std::nullopt;
    }
    const storage::Digest digest = (*kept)->content.digest;
    {
        const std::lock_guard guard(mutex_);
        in_use_.insert(digest);
    }
    std::shared_ptr<void> lease(nullptr, [this, digest](void*) {
        const std::lock_guard guard(mutex_);
        in_use_.erase(in_use_.find(digest));
    });
    auto reader = deps_.files.read(std::move((*kept)->content));
    if (!reader) {
        if (reader.error().code == base::Code::data_loss) {
            // What was evicted since it was looked up is no damage.
            const auto again = deps_.index.find(key);
            if (again && *again && (*again)->content.digest == digest) {
                drop(key, digest, reader.error());
            }
            return std::nullopt;
        }
        return std::unexpected(reader.error());
    }
    if (const auto noted = deps_.index.note_use(key); !noted) {
        telemetry::log_debug("artifact_cache_use_not_noted", {{"error", noted.error().message}});
    }
    return OpenArtifact{key,
                        digest,
                        std::make_shared<const storage::ContentReader>(*std::move(reader)),
                        std::move((*kept)->fields),
                        (*kept)->seen_at,
                        std::move(lease)};
}

base::Result<std::optional<std::int64_t>> ArtifactCache::size_of(const storage::ArtifactKey& key) {
    if (!is_trusted(key.path)) {
        return std::nullopt;
    }
    const auto kept = deps_.index.find(key);
    if (!kept) {
        return std::unexpected(kept.error());
    }
    return *kept ? std::optional((*kept)->content.size) : std::nullopt;
}

base::Result<void> ArtifactCache::can_pin(std::int64_t size) {
    const auto pinned = deps_.index.pinned_bytes();
    if (!pinned) {
        return std::unexpected(pinned.error());
    }
    if (*pinned + storage::room_for(size) > settings_.limit) {
        return base::fail(base::Code::exhausted,
                          fmt::format("the cache is too small for what aliases lead to: {} of its {} bytes are taken, "
                                      "and the next file has {}; set HOKUSAI_ARTIFACT_CACHE higher",
                                      *pinned,
                                      settings_.limit,
                                      size));
    }
    return {};
}

bool ArtifactCache::is_idle() const {
    const std::lock_guard guard(mutex_);
    return fillings_.empty() && in_use_.empty();
}

base::Result<std::string> ArtifactCache::read_piece(const OpenArtifact& artifact, std::size_t index) {
    auto piece = artifact.reader->read_piece(index);
    if (!piece && piece.error().code == base::Code::data_loss) {
        drop(artifact.key, artifact.digest, piece.error());
    }
    return piece;
}

void ArtifactCache::drop(const storage::ArtifactKey& key, const storage::Digest& digest, const base::Error& error) {
    metrics.corrupt.add();
    telemetry::log_error("artifact_corrupt", {{"path", key.path}, {"error", error.message}});
    const std::lock_guard writing(writing_);
    const auto forgotten = deps_.index.forget_content(digest);
    const auto removed = forgotten ? remove_unwanted() : forgotten;
    if (!removed) {
        telemetry::log_error("artifact_cache_failed", {{"error", removed.error().message}});
    }
}

ArtifactCache::Change::Change(ArtifactCache& cache, std::string path) : cache_(cache), path_(std::move(path)) {
    const std::lock_guard guard(cache_.mutex_);
    cache_.changing_.insert(path_);
    if (cache_.unsettled_.size() < kMaxUnsettled) {
        cache_.unsettled_.insert(path_);
    } else {
        cache_.must_forget_all_ = true;
    }
    for (Filling* filling : cache_.fillings_) {
        if (overlap(filling->key().path, path_)) {
            filling->is_void_.store(true);
        }
    }
}

ArtifactCache::Change::~Change() {
    const std::lock_guard guard(cache_.mutex_);
    cache_.changing_.erase(cache_.changing_.find(path_));
}

base::Result<void> ArtifactCache::settle() {
    const std::lock_guard writing(writing_);
    std::set<std::string> paths;
    bool forgets_all = false;
    {
        const std::lock_guard guard(mutex_);
        paths = unsettled_;
        forgets_all = must_forget_all_;
    }
    for (const std::string& path : paths) {
        if (const auto forgotten = deps_.index.forget(path); !forgotten) {
            return forgotten;
        }
    }
    if (const auto forgotten = forgets_all ? deps_.index.forget_all() : base::Result<void>(); !forgotten) {
        return forgotten;
    }
    {
        const std::lock_guard guard(mutex_);
        for (const std::string& path : paths) {
            unsettled_.erase(path);
        }
        must_forget_all_ = must_forget_all_ && !forgets_all;
    }
    const auto removed = remove_unwanted();
    return removed ? note_usage() : removed;
}

// The caller holds writing_.
base::Result<void> ArtifactCache::remove_unwanted() {
    const base::Result<storage::FileDescriptor> lock = deps_.files.lock();
    if (!lock) {
        return std::unexpected(lock.error());
    }
    const auto unwanted = deps_.index.take_unwanted();
    if (!unwanted) {
        return std::unexpected(unwanted.error());
    }
    for (const storage::Digest& digest : *unwanted) {
        deps_.files.remove(digest);
    }
    return unwanted->empty() ? base::Result<void>() : deps_.index.removed(*unwanted);
}

// The caller holds writing_.
base::Result<void> ArtifactCache::make_room(std::int64_t bytes) {
    if (bytes > 0 && deps_.files.free_bytes() < settings_.keep_free + static_cast<std::uint64_t>(bytes)) {
        return base::fail(base::Code::unavailable, "the disk of the data folder is nearly full");
    }
    bool has_evicted = false;
    for (;;) {
        const auto usage = deps_.index.usage();
        if (!usage) {
            return std::unexpected(usage.error());
        }
        if (usage->bytes + reserved_ + bytes <= settings_.limit) {
            return has_evicted ? remove_unwanted() : base::Result<void>();
        }
        const auto evicted =
            deps_.index.evict_one([this](const storage::Digest& digest) { return !is_in_use(digest); });
        if (!evicted) {
            return std::unexpected(evicted.error());
        }
        if (!*evicted) {
            const auto removed = remove_unwanted();
            return !removed ? removed
                            : base::fail(base::Code::exhausted,
                                         "the cache has no room left: what it holds is pinned or in use");
        }
        has_evicted = true;
        metrics.evictions.add();
    }
}

base::Result<void> ArtifactCache::reserve(std::int64_t bytes) {
    const std::lock_guard writing(writing_);
    const auto made = make_room(bytes);
    if (made) {
        reserved_ += bytes;
    }
    return made;
}

base::Result<void> ArtifactCache::publish(Filling& filling) {
    const std::lock_guard writing(writing_);
    // Whoever changes it from now on waits for writing_ before it is forgotten.
    if (filling.is_void_.load()) {
        return base::fail(base::Code::conflict, "it changed while it was copied");
    }
    const base::WallTime now = deps_.clock.wall_now();
    if (!filling.writer_) {
        return deps_.index.note_use(filling.key_, now);
    }
    const base::Result<storage::FileDescriptor> lock = deps_.files.lock();
    auto content = lock ? filling.writer_->publish() : std::unexpected(lock.error());
    if (!content) {
        return std::unexpected(content.error());
    }
    const storage::Digest digest = content->digest;
    const auto put = deps_.index.put(filling.key_, {*std::move(content), filling.head_.fields, now});
    if (!put) {
        const auto is_known = deps_.index.has_content(digest);
        if (is_known && !*is_known) {
            deps_.files.remove(digest);
        }
        return put;
    }
    metrics.copies_kept.add();
    return note_usage();
}

base::Result<void> ArtifactCache::note_requests() {
    const std::uint64_t hits = metrics.hits.value();
    const std::uint64_t misses = metrics.misses.value();
    const auto more_hits = static_cast<std::int64_t>(hits - noted_hits_.exchange(hits));
    const auto more_misses = static_cast<std::int64_t>(misses - noted_misses_.exchange(misses));
    return more_hits + more_misses == 0 ? base::Result<void>() : deps_.index.note_requests(more_hits, more_misses);
}

base::Result<void> ArtifactCache::set_pins(const std::vector<storage::Pin>& pins) {
    const std::lock_guard writing(writing_);
    return deps_.index.set_pins(pins);
}

base::Result<void> ArtifactCache::note_pin(const std::string& root, bool is_whole, const std::string& problem) {
    const std::lock_guard writing(writing_);
    return deps_.index.note_pin(root, is_whole, problem);
}

base::Result<std::vector<storage::Pin>> ArtifactCache::pins() {
    auto pins = deps_.index.pins();
    const auto bytes = deps_.index.pinned_bytes();
    if (!pins || !bytes) {
        return std::unexpected(!pins ? pins.error() : bytes.error());
    }
    metrics.pinned_bytes.store(*bytes);
    metrics.pins.store(static_cast<std::int64_t>(pins->size()));
    metrics.pins_whole.store(std::ranges::count_if(*pins, &storage::Pin::is_whole));
    return pins;
}

base::Result<void> ArtifactCache::note_usage() {
    const auto usage = deps_.index.usage();
    if (!usage) {
        return std::unexpected(usage.error());
    }
    metrics.bytes.store(usage->bytes);
    metrics.entries.store(usage->entries);
    return {};
}

}  // namespace artifacts
