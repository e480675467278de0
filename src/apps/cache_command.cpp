#include "apps/cache_command.hpp"

#include <filesystem>
#include <ostream>
#include <utility>
#include <vector>

#include "storage/artifact_index.hpp"
#include "storage/content_store.hpp"
#include "storage/sqlite_database.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace apps {

namespace {

namespace json = boost::json;

int complain(const Console& console, std::string_view message) {
    console.errors << "hokusai cache: " << message << '\n';
    return kFailed;
}

struct Opened {
    storage::ContentStore files;
    storage::ArtifactIndex index;
};

// Creates nothing.
base::Result<Opened> open(const ServiceSettings& settings) {
    if (!std::filesystem::exists(storage::artifact_file(settings.data_dir))) {
        return base::fail(base::Code::not_found,
                          fmt::format("there is no artifact cache in {}: hokusai serve makes one with "
                                      "HOKUSAI_ARTIFACT_CACHE=SIZE; or name another folder with --data",
                                      settings.data_dir));
    }
    auto database = storage::open_artifact_database(settings.data_dir);
    if (!database) {
        return std::unexpected(database.error());
    }
    auto files = storage::ContentStore::open(storage::artifact_folder(settings.data_dir));
    if (!files) {
        return std::unexpected(files.error());
    }
    return Opened{*std::move(files), storage::ArtifactIndex(*std::move(database))};
}

// Whoever serves from the folder, or commands beside him, wait meanwhile.
base::Result<void> remove_unwanted(Opened& cache) {
    const auto lock = cache.files.lock();
    const auto unwanted = lock ? cache.index.take_unwanted() : std::unexpected(lock.error());
    if (!unwanted) {
        return std::unexpected(unwanted.error());
    }
    for (const storage::Digest& digest : *unwanted) {
        cache.files.remove(digest);
    }
    return cache.index.removed(*unwanted);
}

base::Result<void> read_all(const storage::ContentStore& files, const storage::Content& content) {
    const auto reader = files.read(content);
    if (!reader) {
        return std::unexpected(reader.error());
    }
    for (std::size_t index = 0; index * sizeof(storage::Digest) < content.pieces.size(); ++index) {
        if (const auto piece = reader->read_piece(index); !piece) {
            return std::unexpected(piece.error());
        }
    }
    return {};
}

json::object to_json(const storage::CacheUsage& usage,
                     std::int64_t pinned_bytes,
                     std::size_t limit,
                     const std::vector<storage::Pin>& pins) {
    json::array pinned;
    for (const storage::Pin& pin : pins) {
        pinned.push_back(json::object{
            {"versions", pin.versions}, {"path", pin.root}, {"whole", pin.is_whole}, {"problem", pin.problem}});
    }
    return {{"bytes", usage.bytes},
            {"limit_bytes", limit},
            {"pinned_bytes", pinned_bytes},
            {"entries", usage.entries},
            {"hits", usage.hits},
            {"misses", usage.misses},
            {"pinned", std::move(pinned)}};
}

std::string mib(std::int64_t bytes) {
    return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

}  // namespace

int cache_status(const ServiceSettings& settings, bool as_json, const Console& console) {
    auto cache = open(settings);
    if (!cache) {
        return complain(console, cache.error().message);
    }
    const auto usage = cache->index.usage();
    const auto pinned = cache->index.pinned_bytes();
    const auto pins = cache->index.pins();
    if (!usage || !pinned || !pins) {
        return complain(console, (!usage ? usage.error() : !pinned ? pinned.error() : pins.error()).message);
    }
    const std::size_t limit = settings.artifacts.cache_size;
    if (as_json) {
        console.out << to_json(*usage, *pinned, limit, *pins) << '\n';
        return kDone;
    }
    console.out << fmt::format("{} in {} entries{}, {} of it pinned; {} hits and {} misses while MLflow was away\n",
                               mib(usage->bytes),
                               usage->entries,
                               limit > 0 ? " of " + mib(static_cast<std::int64_t>(limit)) : "",
                               mib(*pinned),
                               usage->hits,
                               usage->misses);
    for (const storage::Pin& pin : *pins) {
        console.out << fmt::format("  {}: {}{}{}\n",
                                   pin.versions,
                                   pin.is_whole ? "whole" : "not whole",
                                   pin.is_whole || pin.problem.empty() ? "" : ": ",
                                   pin.is_whole ? "" : pin.problem);
    }
    return kDone;
}

int cache_verify(const ServiceSettings& settings, const Console& console) {
    auto cache = open(settings);
    const auto contents =
        cache ? cache->index.list_contents()
              : base::Result<std::vector<storage::ArtifactIndex::Listed>>(std::unexpected(cache.error()));
    if (!contents) {
        return complain(console, contents.error().message);
    }
    std::size_t damaged = 0;
    std::int64_t bytes = 0;
    for (const storage::ArtifactIndex::Listed& listed : *contents) {
        bytes += listed.content.size;
        const auto read = read_all(cache->files, listed.content);
        // What a service evicted meanwhile is not damaged.
        const auto is_there = read ? base::Result<bool>(false) : cache->index.has_content(listed.content.digest);
        if (!is_there) {
            return complain(console, is_there.error().message);
        }
        if (!*is_there) {
            continue;
        }
        if (read.error().code != base::Code::data_loss) {
            return complain(console, read.error().message);
        }
        if (const auto forgotten = cache->index.forget_content(listed.content.digest); !forgotten) {
            return complain(console, forgotten.error().message);
        }
        ++damaged;
        console.out << fmt::format("dropped {}: {}\n", listed.path, read.error().message);
    }
    if (const auto removed = remove_unwanted(*cache); !removed) {
        return complain(console, removed.error().message);
    }
    console.out << fmt::format("read {} files, {}; {} were damaged\n", contents->size(), mib(bytes), damaged);
    return damaged == 0 ? kDone : kFailed;
}

int cache_clear(const ServiceSettings& settings, const Console& console) {
    auto cache = open(settings);
    if (!cache) {
        return complain(console, cache.error().message);
    }
    const auto usage = cache->index.usage();
    const auto forgotten = cache->index.forget_all();
    const auto removed = forgotten ? remove_unwanted(*cache) : forgotten;
    if (!usage || !removed) {
        return complain(console, (!usage ? usage.error() : removed.error()).message);
    }
    console.out << fmt::format("removed {} entries, {}\n", usage->entries, mib(usage->bytes));
    return kDone;
}

}  // namespace apps
