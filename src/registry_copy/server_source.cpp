#include "registry_copy/server_source.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "registry/call.hpp"
#include "registry/json.hpp"
#include "registry/query.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace registry_copy {

namespace {

namespace json = boost::json;

constexpr std::string_view kServerInfo = "/api/3.0/mlflow/server-info";
constexpr std::string_view kWorkspaces = "/api/3.0/mlflow/workspaces";
constexpr std::string_view kSearchModels = "/api/2.0/mlflow/registered-models/search";
constexpr std::string_view kGetModel = "/api/2.0/mlflow/registered-models/get";
constexpr std::string_view kSearchVersions = "/api/2.0/mlflow/model-versions/search";
constexpr std::string_view kGetVersion = "/api/2.0/mlflow/model-versions/get";
constexpr std::string_view kGetDownloadUri = "/api/2.0/mlflow/model-versions/get-download-uri";

constexpr int kPage = 1000;

// A model that changes while it is read is read again.
constexpr int kMaxReadings = 3;

base::Error not_understood(std::string_view path) {
    return {base::Code::data_loss, fmt::format("the server's answer to {} is not what MLflow would say", path)};
}

bool is_missing(const base::Error& error) {
    return error.code == base::Code::missing_resource;
}

template <class Entity>
using Parse = base::Result<Entity> (*)(const json::object&);

// What a call shows under `member`; nothing when there is no such thing.
template <class Entity>
base::Result<std::optional<Entity>> get(registry_client::Api& api,
                                        const registry_client::Api::Call& call,
                                        std::string_view member,
                                        Parse<Entity> parse) {
    const auto answer = api.call(call);
    if (!answer && is_missing(answer.error())) {
        return std::nullopt;
    }
    if (!answer) {
        return std::unexpected(answer.error());
    }
    const json::value* const object = answer->if_contains(member);
    if (object == nullptr || !object->is_object()) {
        return std::unexpected(not_understood(call.path));
    }
    auto entity = parse(object->get_object());
    return entity ? base::Result<std::optional<Entity>>(*std::move(entity)) : std::unexpected(entity.error());
}

// All pages of a search, row by row.
template <class Entity, class Take>
base::Result<void> search(
    registry_client::Api& api, registry_client::Api::Call call, std::string_view list, Parse<Entity> parse, Take take) {
    call.arguments["max_results"] = kPage;
    for (;;) {
        const auto page = api.call(call);
        if (!page) {
            return std::unexpected(page.error());
        }
        const json::value* const rows = page->if_contains(list);
        for (const json::value& row : rows != nullptr && rows->is_array() ? rows->get_array() : json::array()) {
            auto entity = row.is_object() ? parse(row.get_object()) : std::unexpected(not_understood(call.path));
            if (!entity) {
                return std::unexpected(entity.error());
            }
            take(*std::move(entity));
        }
        const json::value* const next = page->if_contains("next_page_token");
        if (next == nullptr || !next->is_string() || next->get_string().empty()) {
            return {};
        }
        call.arguments["page_token"] = *next;
    }
}

// A server that knows nothing of workspaces has the default one.
base::Result<std::set<std::string>> list_workspaces(registry_client::Api& api) {
    const auto info = api.call({.method = "GET", .path = kServerInfo});
    if (!info && info.error().code != base::Code::not_found) {
        return std::unexpected(info.error());
    }
    const json::value* const enabled = info ? info->if_contains("workspaces_enabled") : nullptr;
    if (enabled == nullptr || *enabled != json::value(true)) {
        return std::set<std::string>{""};
    }
    const auto answer = api.call({.method = "GET", .path = kWorkspaces});
    if (!answer) {
        return std::unexpected(answer.error());
    }
    std::set<std::string> names;
    const json::value* const workspaces = answer->if_contains("workspaces");
    for (const json::value& workspace :
         workspaces != nullptr && workspaces->is_array() ? workspaces->get_array() : json::array()) {
        const json::object* const object = workspace.if_object();
        const json::value* const name = object == nullptr ? nullptr : object->if_contains("name");
        if (name == nullptr || !name->is_string()) {
            return std::unexpected(not_understood(kWorkspaces));
        }
        names.emplace(registry::normal_workspace(std::string_view(name->get_string())));
    }
    return names;
}

// Prompts are found only by who asks for them.
base::Result<std::set<std::string>> list_names(registry_client::Api& api, const std::string& workspace) {
    std::set<std::string> names;
    for (const std::string& filter : {std::string(), std::string(registry::kPromptFilter)}) {
        registry_client::Api::Call call{.method = "GET", .path = kSearchModels, .workspace = workspace};
        if (!filter.empty()) {
            call.arguments["filter"] = filter;
        }
        const auto found = search(api,
                                  std::move(call),
                                  "registered_models",
                                  registry::model_from_json,
                                  [&](const registry::RegisteredModel& model) { names.insert(model.name); });
        if (!found) {
            return std::unexpected(found.error());
        }
    }
    return names;
}

class ModelReading {
public:
    ModelReading(registry_client::Api& api, const registry::ModelKey& key, DownloadUris download_uris)
        : api_(api), key_(key), download_uris_(download_uris) {}

    base::Result<std::optional<ModelCopy>> read() {
        for (int reading = 0; reading < kMaxReadings; ++reading) {
            auto copy = read_once();
            if (!copy || !*copy || is_whole(**copy)) {
                return copy;
            }
        }
        return base::fail(base::Code::unavailable,
                          label(key_) + " changes while it is read: repeat when nobody writes to it");
    }

private:
    base::Result<std::optional<ModelCopy>> read_once() {
        auto model = get(api_, about_model(kGetModel), "registered_model", registry::model_from_json);
        if (!model) {
            return std::unexpected(model.error());
        }
        if (!*model) {
            return std::nullopt;
        }
        ModelCopy copy{.workspace = key_.workspace, .model = **std::move(model)};
        for (const registry::ModelVersion& version : std::exchange(copy.model.latest_versions, {})) {
            copy.highest_version = std::max(copy.highest_version, version.version);
        }
        if (auto read = read_versions(copy); !read) {
            return std::unexpected(read.error());
        }
        if (auto read = read_download_uris(copy.versions); !read) {
            return std::unexpected(read.error());
        }
        return copy;
    }

    base::Result<void> read_versions(ModelCopy& copy) {
        if (can_be_quoted(key_.name)) {
            if (auto found = search_versions(copy.versions); !found) {
                return found;
            }
        }
        // A search hides the versions of prompts.
        const bool has_all = copy.highest_version == 0 ||
                             (!copy.versions.empty() && copy.versions.back().version >= copy.highest_version);
        if (!has_all) {
            copy.versions.clear();
            for (std::int64_t number = 1; number <= copy.highest_version; ++number) {
                if (auto read = read_version(number, copy.versions); !read) {
                    return read;
                }
            }
        }
        if (!copy.versions.empty()) {
            copy.highest_version = std::max(copy.highest_version, copy.versions.back().version);
        }
        return {};
    }

    base::Result<void> search_versions(std::vector<registry::ModelVersion>& versions) {
        registry_client::Api::Call call{.method = "GET", .path = kSearchVersions, .workspace = key_.workspace};
        call.arguments["filter"] = fmt::format("name = '{}'", key_.name);
        call.arguments["order_by"] = json::array{"version_number ASC"};
        const auto found = search(
            api_, std::move(call), "model_versions", registry::version_from_json, [&](registry::ModelVersion version) {
                keep(std::move(version), versions);
            });
        if (!found) {
            return found;
        }
        // Pages overlap when versions are made meanwhile.
        std::ranges::sort(versions, {}, &registry::ModelVersion::version);
        const auto repeated = std::ranges::unique(versions, {}, &registry::ModelVersion::version);
        versions.erase(repeated.begin(), repeated.end());
        return {};
    }

    base::Result<void> read_version(std::int64_t number, std::vector<registry::ModelVersion>& versions) {
        auto version = get(api_, about_version(kGetVersion, number), "model_version", registry::version_from_json);
        if (!version) {
            return std::unexpected(version.error());
        }
        if (*version) {
            keep(**std::move(version), versions);
        }
        return {};
    }

    base::Result<void> read_download_uris(std::vector<registry::ModelVersion>& versions) {
        if (download_uris_ == DownloadUris::leave_out) {
            return {};
        }
        std::vector<registry::ModelVersion> kept;
        for (registry::ModelVersion& version : versions) {
            const auto answer = api_.call(about_version(kGetDownloadUri, version.version));
            if (!answer && is_missing(answer.error())) {
                continue;  // deleted meanwhile
            }
            if (!answer) {
                return std::unexpected(answer.error());
            }
            if (const json::value* const uri = answer->if_contains("artifact_uri");
                uri != nullptr && uri->is_string()) {
                version.artifact_uri = uri->get_string();
            }
            kept.push_back(std::move(version));
        }
        versions = std::move(kept);
        return {};
    }

    [[nodiscard]] registry_client::Api::Call about_model(std::string_view path) const {
        return {.method = "GET", .path = path, .workspace = key_.workspace, .arguments = {{"name", key_.name}}};
    }

    [[nodiscard]] registry_client::Api::Call about_version(std::string_view path, std::int64_t number) const {
        registry_client::Api::Call call = about_model(path);
        call.arguments["version"] = std::to_string(number);
        return call;
    }

    static void keep(registry::ModelVersion version, std::vector<registry::ModelVersion>& versions) {
        version.aliases.clear();
        versions.push_back(std::move(version));
    }

    // As a string of MLflow's filter grammar, whose quotes nothing escapes.
    static bool can_be_quoted(std::string_view name) {
        return name.find_first_of("'\"`\\;\n\r") == std::string_view::npos;
    }

    static bool is_whole(const ModelCopy& copy) {
        return std::ranges::all_of(copy.model.aliases, [&](const registry::Alias& alias) {
            return std::ranges::binary_search(copy.versions, alias.version, {}, &registry::ModelVersion::version);
        });
    }

    registry_client::Api& api_;
    const registry::ModelKey& key_;
    const DownloadUris download_uris_;
};

}  // namespace

base::Result<std::optional<ModelCopy>> read_model(registry_client::Api& api,
                                                  const registry::ModelKey& key,
                                                  DownloadUris download_uris) {
    return ModelReading(api, key, download_uris).read();
}

base::Result<void> ServerSource::for_each_model(const std::function<base::Result<void>(const ModelCopy&)>& take) {
    const auto workspaces = list_workspaces(api_);
    if (!workspaces) {
        return std::unexpected(workspaces.error());
    }
    for (const std::string& workspace : *workspaces) {
        const auto names = list_names(api_, workspace);
        if (!names) {
            return std::unexpected(names.error());
        }
        for (const std::string& name : *names) {
            const auto model = read_model(api_, {workspace, name}, DownloadUris::ask);
            if (!model) {
                return std::unexpected(model.error());
            }
            if (*model) {
                if (auto taken = take(**model); !taken) {
                    return taken;
                }
            }
        }
    }
    return {};
}

}  // namespace registry_copy
