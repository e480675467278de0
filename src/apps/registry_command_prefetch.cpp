#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <thread>
#include <utility>

#include "apps/module_settings.hpp"
#include "apps/registry_command.hpp"
#include "artifacts/artifact_call.hpp"
#include "artifacts/listing.hpp"
#include "base/clock.hpp"
#include "registry/json.hpp"
#include "registry_client/http_api.hpp"
#include "storage/artifact_index.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace apps {

namespace {

namespace json = boost::json;
using storage::ArtifactKey;
using storage::ArtifactKind;

constexpr auto kPatience = std::chrono::seconds(10);
constexpr auto kGlance = std::chrono::milliseconds(20);
constexpr std::size_t kMaxFolders = 10'000;  // of one version

struct Version {
    std::string model;
    std::string number;
};

struct Tally {
    std::int64_t files = 0;
    std::int64_t bytes = 0;
    std::int64_t there = 0;
    std::int64_t left = 0;
};

class Prefetch {
public:
    Prefetch(registry_client::HttpApi& api, storage::ArtifactIndex* cache, const Console& console)
        : api_(api), cache_(cache), console_(console) {}

    // "fox@champion", "fox/3", "fox".
    base::Result<std::vector<Version>> versions_of(const std::string& text) {
        const std::size_t mark = text.find_last_of("@/");
        const std::string model = text.substr(0, mark);
        if (mark != std::string::npos && text[mark] == '/') {
            return std::vector{Version{model, text.substr(mark + 1)}};
        }
        if (mark != std::string::npos) {
            const auto answer = get("registered-models/alias", {{"name", model}, {"alias", text.substr(mark + 1)}});
            const json::object* const version = answer ? member(*answer, "model_version") : nullptr;
            return !answer              ? base::Result<std::vector<Version>>(std::unexpected(answer.error()))
                   : version == nullptr ? std::vector<Version>()
                                        : std::vector{Version{model, registry::text_at(*version, "version")}};
        }
        const auto answer = get("registered-models/get", {{"name", model}});
        if (!answer) {
            return std::unexpected(answer.error());
        }
        std::vector<Version> versions;
        const json::object* const found = member(*answer, "registered_model");
        const json::value* const aliases = found != nullptr ? found->if_contains("aliases") : nullptr;
        if (aliases != nullptr && aliases->is_array()) {
            for (const json::value& alias : aliases->get_array()) {
                if (alias.is_object()) {
                    versions.push_back({model, registry::text_at(alias.get_object(), "version")});
                }
            }
        }
        return versions.empty() ? base::fail(base::Code::missing_resource,
                                             model + " has no aliases: name a version, as in " + model + "/1")
                                : base::Result<std::vector<Version>>(std::move(versions));
    }

    base::Result<Tally> fetch(const Version& version) {
        const auto place =
            get("model-versions/get-download-uri", {{"name", version.model}, {"version", version.number}});
        if (!place) {
            return std::unexpected(place.error());
        }
        const std::string uri = registry::text_at(*place, "artifact_uri");
        const std::optional<std::string> root = artifacts::path_of_uri(uri);
        if (!root) {
            return base::fail(base::Code::unsupported,
                              uri + " is not handed out by MLflow's server (mlflow-artifacts:/), so it is not cached");
        }
        Tally tally;
        std::vector<std::string> folders{*root};
        for (std::size_t visited = 0; !folders.empty(); ++visited) {
            const std::string folder = std::move(folders.back());
            folders.pop_back();
            const auto listing = visited < kMaxFolders ? list(folder) : too_many(folder);
            if (!listing) {
                return std::unexpected(listing.error());
            }
            for (const artifacts::ListedArtifact& each : *listing) {
                if (each.is_folder) {
                    folders.push_back(each.path);
                } else if (const auto done = fetch_file(each, tally); !done) {
                    return std::unexpected(done.error());
                }
            }
        }
        tally.left = cache_ != nullptr ? count_left() : 0;
        return tally;
    }

private:
    static const json::object* member(const json::object& object, std::string_view name) {
        const json::value* const value = object.if_contains(name);
        return value != nullptr ? value->if_object() : nullptr;
    }

    static base::Result<std::vector<artifacts::ListedArtifact>> too_many(const std::string& folder) {
        return base::fail(base::Code::exhausted, folder + ": too many folders");
    }

    base::Result<json::object> get(std::string_view method, json::object arguments) {
        const std::string path = fmt::format("/api/2.0/mlflow/{}", method);
        return api_.call({.method = "GET", .path = path, .arguments = std::move(arguments)});
    }

    base::Result<std::vector<artifacts::ListedArtifact>> list(const std::string& folder) {
        // As a client asks, so that the listing is kept too.
        const ArtifactKey key{ArtifactKind::listing, folder};
        if (const auto kept = api_.read_through(artifacts::target_of(key)); !kept) {
            return std::unexpected(kept.error());
        }
        const auto listing = api_.call(
            {.method = "GET", .path = "/api/2.0/mlflow-artifacts/artifacts", .arguments = {{"path", folder}}});
        return listing ? artifacts::parse_listing(json::serialize(*listing), folder) : std::unexpected(listing.error());
    }

    base::Result<void> fetch_file(const artifacts::ListedArtifact& file, Tally& tally) {
        const ArtifactKey key{ArtifactKind::file, file.path};
        if (size_in_cache(key) == file.size && file.size) {
            ++tally.there;
            return {};
        }
        console_.out << fmt::format("  {}{}\n", file.path, file.size ? fmt::format(", {} bytes", *file.size) : "")
                     << std::flush;
        const auto bytes = api_.read_through(artifacts::target_of(key));
        if (!bytes) {
            return std::unexpected(bytes.error());
        }
        ++tally.files;
        tally.bytes += *bytes;
        read_.push_back({file.path, false, *bytes});
        return {};
    }

    // The service writes to its disk a little later than it answers. How many of the files read it has not kept.
    std::int64_t count_left() {
        std::int64_t left = 0;
        const auto limit = clock_.now() + kPatience;
        for (const artifacts::ListedArtifact& file : std::exchange(read_, {})) {
            const auto is_kept = [&] { return size_in_cache({ArtifactKind::file, file.path}) == file.size; };
            while (!is_kept() && clock_.now() < limit) {
                std::this_thread::sleep_for(kGlance);
            }
            if (!is_kept()) {
                ++left;
                console_.errors << "hokusai registry: not kept: " << file.path << '\n';
            }
        }
        return left;
    }

    std::optional<std::int64_t> size_in_cache(const ArtifactKey& key) {
        const auto kept = cache_ != nullptr ? cache_->find(key) : std::nullopt;
        return kept && *kept ? std::optional((*kept)->content.size) : std::nullopt;
    }

    registry_client::HttpApi& api_;
    storage::ArtifactIndex* cache_;  // null: not on this machine
    const Console& console_;
    const base::SystemClock clock_;
    std::vector<artifacts::ListedArtifact> read_;
};

}  // namespace

int registry_prefetch(const ServiceSettings& settings, const RegistryPrefetchRequest& request, const Console& console) {
    const auto url = config::parse_http_url(
        request.through.empty() ? "http://" + config::to_text(settings.server.listen) : request.through);
    if (!url) {
        return complain(console, url.error().context("--through").message, kWrongUsage);
    }
    std::optional<storage::ArtifactIndex> cache;
    if (std::filesystem::exists(storage::artifact_file(settings.data_dir))) {
        auto database = storage::open_artifact_database(settings.data_dir);
        if (!database) {
            return complain(console, database.error().message);
        }
        cache.emplace(*std::move(database));
    }
    registry_client::HttpApi api(to_registry_client_settings(settings, *url));
    Prefetch prefetch(api, cache ? &*cache : nullptr, console);
    bool is_complete = true;
    for (const std::string& text : request.versions) {
        const auto versions = prefetch.versions_of(text);
        if (!versions) {
            return complain(console, versions.error().message);
        }
        for (const Version& version : *versions) {
            const std::string name = fmt::format("{} version {}", version.model, version.number);
            const auto tally = prefetch.fetch(version);
            if (!tally) {
                return complain(
                    console, fmt::format("{}: {}; the same command goes on from there", name, tally.error().message));
            }
            is_complete = is_complete && tally->left == 0;
            console.out << fmt::format("{}: {} files, {} bytes read; {} files were there already\n",
                                       name,
                                       tally->files,
                                       tally->bytes,
                                       tally->there);
        }
    }
    return is_complete ? kDone : kFailed;
}

}  // namespace apps
