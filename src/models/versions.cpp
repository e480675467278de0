#include "models/versions.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/strings.hpp"
#include "registry/json.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace models {

namespace {

namespace json = boost::json;

constexpr std::string_view kApi = "/api/2.0/mlflow";
constexpr std::size_t kPageSize = 1000;
constexpr int kMaxPages = 10;

std::int64_t number_at(const json::object& object, std::string_view name) {
    const json::value* const value = object.if_contains(name);
    if (value == nullptr) {
        return 0;
    }
    if (value->is_string()) {
        return static_cast<std::int64_t>(base::parse_uint(value->get_string()).value_or(0));
    }
    boost::system::error_code error;
    const auto number = value->to_number<std::int64_t>(error);
    return error ? 0 : number;
}

Version version_in(const json::object& object) {
    Version version;
    version.name = {registry::text_at(object, "name"), number_at(object, "version")};
    version.status = registry::text_at(object, "status");
    version.stage = registry::text_at(object, "current_stage");
    version.description = registry::text_at(object, "description");
    version.run_id = registry::text_at(object, "run_id");
    version.source = registry::text_at(object, "source");
    version.created_at = number_at(object, "creation_timestamp");
    version.tags = by_key(object, "tags");
    if (const json::value* const aliases = object.if_contains("aliases"); aliases != nullptr && aliases->is_array()) {
        for (const json::value& alias : aliases->get_array()) {
            if (alias.is_string()) {
                version.aliases.emplace_back(alias.get_string());
            }
        }
    }
    return version;
}

template <class Take>
void each_object(const json::object& parent, std::string_view list, Take take) {
    const json::value* const items = parent.if_contains(list);
    if (items == nullptr || !items->is_array()) {
        return;
    }
    for (const json::value& item : items->get_array()) {
        if (const json::object* const object = item.if_object()) {
            take(*object);
        }
    }
}

// MLflow's filters know no escape: a name with both quotes can't be asked for, and is picked out of all.
std::string filter_for(const std::optional<std::string>& model) {
    if (!model) {
        return {};
    }
    const bool has_single = model->find('\'') != std::string::npos;
    const bool has_double = model->find('"') != std::string::npos;
    if (has_single && has_double) {
        return {};
    }
    return has_single ? fmt::format("name=\"{}\"", *model) : fmt::format("name='{}'", *model);
}

std::string search_target(std::string_view what, const std::string& filter, std::size_t max, const std::string& token) {
    std::string target = fmt::format("{}/{}/search?max_results={}", kApi, what, max);
    target += filter.empty() ? "" : "&filter=" + base::percent_encode(filter);
    target += token.empty() ? "" : "&page_token=" + base::percent_encode(token);
    return target;
}

}  // namespace

base::Task<Outcome<Version>> find_version(MlflowApi& mlflow, Outcome<VersionName> name) {
    if (!name) {
        co_return std::unexpected(name.error());
    }
    const base::Result<ApiAnswer> answer = co_await mlflow.call(
        {.target = fmt::format(
             "{}/model-versions/get?name={}&version={}", kApi, base::percent_encode(name->model), name->version)});
    const Outcome<json::object> object = object_in(answer, "Model not found: " + name->text());
    if (!object) {
        co_return std::unexpected(object.error());
    }
    const json::value* const version = object->if_contains("model_version");
    if (version == nullptr || !version->is_object()) {
        co_return std::unexpected(unavailable("MLflow's answer can't be read: it has no model_version"));
    }
    co_return version_in(version->get_object());
}

base::Task<Outcome<VersionPage>> list_versions(MlflowApi& mlflow, PageOf page) {
    const std::string filter = filter_for(page.model);
    const base::Result<ApiAnswer> answer =
        co_await mlflow.call({.target = search_target("model-versions", filter, page.max_results, page.token) +
                                        "&order_by=name%20ASC&order_by=version_number%20ASC"});
    const Outcome<json::object> object = object_in(answer, "MLflow has no registry of models", "query");
    if (!object) {
        co_return std::unexpected(object.error());
    }
    VersionPage found;
    found.next_page_token = registry::text_at(*object, "next_page_token");
    each_object(*object, "model_versions", [&](const json::object& item) {
        Version version = version_in(item);
        if (!page.model || version.name.model == *page.model) {
            found.versions.push_back(std::move(version));
        }
    });
    co_return found;
}

base::Task<Outcome<AllVersions>> list_all_versions(MlflowApi& mlflow, std::optional<std::string> model) {
    AllVersions all;
    PageOf next{.model = std::move(model), .max_results = kPageSize};
    for (int count = 0; count < kMaxPages; ++count) {
        Outcome<VersionPage> page = co_await list_versions(mlflow, next);
        if (!page) {
            co_return std::unexpected(page.error());
        }
        std::ranges::move(page->versions, std::back_inserter(all.versions));
        next.token = page->next_page_token;
        all.is_complete = next.token.empty();
        if (all.is_complete) {
            break;
        }
    }
    std::ranges::sort(
        all.versions, {}, [](const Version& version) { return std::tie(version.name.model, version.name.version); });
    co_return all;
}

base::Task<Outcome<std::vector<AliasOfModel>>> list_aliases(MlflowApi& mlflow) {
    std::vector<AliasOfModel> aliases;
    std::string token;
    for (int count = 0; count < kMaxPages; ++count) {
        const base::Result<ApiAnswer> answer =
            co_await mlflow.call({.target = search_target("registered-models", {}, kPageSize, token)});
        const Outcome<json::object> object = object_in(answer, "MLflow has no registry of models", "query");
        if (!object) {
            co_return std::unexpected(object.error());
        }
        each_object(*object, "registered_models", [&](const json::object& model) {
            each_object(model, "aliases", [&](const json::object& alias) {
                aliases.push_back({registry::text_at(alias, "alias"),
                                   {registry::text_at(model, "name"), number_at(alias, "version")}});
            });
        });
        token = registry::text_at(*object, "next_page_token");
        if (token.empty()) {
            break;
        }
    }
    co_return aliases;
}

}  // namespace models
