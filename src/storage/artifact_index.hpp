// Which artifacts of MLflow are kept, and in which files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "storage/content_store.hpp"
#include "storage/sqlite_database.hpp"

namespace storage {

enum class ArtifactKind {
    file,
    listing,  // what MLflow answers to a question about a folder
    look_up,  // another small answer that loading a model needs
};

struct ArtifactKey {
    ArtifactKind kind = ArtifactKind::file;
    std::string path;  // in MLflow's artifact store, or that of a look-up

    auto operator<=>(const ArtifactKey&) const = default;
};

struct KeptArtifact {
    Content content;
    std::string fields;  // header lines to be answered with it, each with its line end
    base::WallTime seen_at;
};

struct CacheUsage {
    std::int64_t bytes = 0;  // on the disk, about: whole blocks, and one more for what is known of a file
    std::int64_t entries = 0;
    std::int64_t hits = 0;
    std::int64_t misses = 0;
};

// A folder of artifacts that has to stay, because an alias leads to it.
struct Pin {
    std::string root;
    std::string versions;  // for people: "fox version 3"
    bool is_whole = false;
    std::string problem{};  // why it is not
};

// What a file of that size takes.
std::int64_t room_for(std::int64_t size);

// Calls block, from any thread. After those that let go of something, take_unwanted() names the files nobody needs.
class ArtifactIndex {
public:
    explicit ArtifactIndex(std::unique_ptr<SqliteDatabase> database) : database_(std::move(database)) {}

    base::Result<std::optional<KeptArtifact>> find(const ArtifactKey& key);

    // It was asked for; and with a time: MLflow says that it is still so.
    base::Result<void> note_use(const ArtifactKey& key, std::optional<base::WallTime> seen_at = {});

    // Replaces what was there. It is pinned when its folder is, or when it is a look-up.
    base::Result<void> put(const ArtifactKey& key, const KeptArtifact& artifact);

    // What a change at `path` may have made untrue: it, what is below, and the listings of the folders above.
    base::Result<void> forget(const std::string& path);

    base::Result<void> forget_content(const Digest& digest);
    base::Result<void> forget_all();

    // Lets go of the least recently used of those that are not pinned; `may_go` decides by its content. False: there is
    // none.
    base::Result<bool> evict_one(const std::function<bool(const Digest&)>& may_go);

    // Replaces the pins by `pins`; of those that stay, it is remembered whether they are whole.
    base::Result<void> set_pins(const std::vector<Pin>& pins);
    base::Result<void> note_pin(const std::string& root, bool is_whole, const std::string& problem);
    base::Result<std::vector<Pin>> pins();

    // Files to be removed; once they are, removed() forgets them.
    base::Result<std::vector<Digest>> take_unwanted();
    base::Result<void> removed(const std::vector<Digest>& digests);

    base::Result<CacheUsage> usage();

    // So many more.
    base::Result<void> note_requests(std::int64_t hits, std::int64_t misses);

    // Of it, what pinned artifacts take; looks at all of them.
    base::Result<std::int64_t> pinned_bytes();

    base::Result<bool> has_content(const Digest& digest);

    // All contents, with one of the paths that lead to each.
    struct Listed {
        Content content;
        std::string path;
    };

    base::Result<std::vector<Listed>> list_contents();

private:
    std::unique_ptr<SqliteDatabase> database_;
};

// Where the files are in a data folder.
std::filesystem::path artifact_folder(const std::filesystem::path& data_dir);

}  // namespace storage
