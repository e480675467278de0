#include "replica/registry_client.hpp"

#include <algorithm>
#include <utility>

#include "base/strings.hpp"
#include "registry/call.hpp"
#include "registry/json.hpp"
#include "replica/call_target.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

namespace replica {

namespace {

constexpr std::string_view kApi = "/api/2.0/mlflow/";
constexpr std::string_view kModelOrder = "name%20ASC";
constexpr std::string_view kVersionOrder = "name%20ASC&order_by=version_number%20ASC";
constexpr std::size_t kMaxAnswer = 64UL * 1024 * 1024;
constexpr auto kParseLimit = std::chrono::seconds(30);

base::Error unexpected_answer(std::string_view what) {
    return {base::Code::data_loss, fmt::format("MLflow answered {}", what)};
}

// What MLflow refuses for good, apart from what may pass.
base::Code code_of(unsigned status) {
    switch (status) {
        case 400:
        case 500:  // what is switched off, for one
            return base::Code::invalid_argument;
        case 401:
        case 403:
            return base::Code::permission_denied;
        default:
            return base::Code::unavailable;
    }
}

const boost::json::object* object_at(const boost::json::object& object, std::string_view name) {
    const boost::json::value* const value = object.if_contains(name);
    return value == nullptr ? nullptr : value->if_object();
}

// What is there, or the reason why that cannot be told.
template <class Entity, class Read>
base::Result<std::optional<Entity>> find_in(const base::Result<mlflow::UpstreamAnswer>& answer,
                                            std::string_view name,
                                            Read read) {
    if (!answer) {
        return std::unexpected(answer.error());
    }
    base::Result<std::optional<boost::json::object>> object = object_of(*answer);
    if (!object || !*object) {
        return object ? base::Result<std::optional<Entity>>(std::nullopt) : std::unexpected(object.error());
    }
    const boost::json::object* const item = object_at(**object, name);
    if (item == nullptr) {
        return std::unexpected(unexpected_answer(fmt::format("without a {}", name)));
    }
    base::Result<Entity> entity = read(*item);
    if (!entity) {
        return std::unexpected(entity.error());
    }
    return std::optional<Entity>(std::move(*entity));
}

template <class Entity, class Read>
base::Result<PageOf<Entity>> page_in(const mlflow::UpstreamAnswer& answer, std::string_view name, Read read) {
    base::Result<std::optional<boost::json::object>> object = object_of(answer);
    if (!object) {
        return std::unexpected(object.error());
    }
    if (!*object) {
        return base::fail(base::Code::missing_resource, "MLflow does not know this workspace");
    }
    PageOf<Entity> page;
    page.next_token = registry::text_at(**object, "next_page_token");
    const boost::json::value* const items = (*object)->if_contains(name);
    if (items == nullptr) {
        return page;
    }
    if (!items->is_array()) {
        return std::unexpected(unexpected_answer(fmt::format("with {} that are no list", name)));
    }
    for (const boost::json::value& item : items->get_array()) {
        if (!item.is_object()) {
            return std::unexpected(unexpected_answer(fmt::format("with {} that are no objects", name)));
        }
        base::Result<Entity> entity = read(item.get_object());
        if (!entity) {
            return std::unexpected(entity.error());
        }
        page.items.push_back(std::move(*entity));
    }
    return page;
}

std::string search_target(std::string_view path, const Page& page, std::string_view order, std::size_t page_size) {
    std::string target = fmt::format("{}{}?max_results={}&order_by={}", kApi, path, page_size, order);
    if (!page.filter.empty()) {
        target += "&filter=" + base::percent_encode(page.filter);
    }
    if (!page.token.empty()) {
        target += "&page_token=" + base::percent_encode(page.token);
    }
    return target;
}

}  // namespace

std::optional<std::string> filter_of_name(const std::string& name) {
    // A backslash before the closing quote would take its meaning away.
    for (const char quote : {'\'', '"'}) {
        if (name.find(quote) == std::string::npos && name.find('\\') == std::string::npos) {
            return fmt::format("name = {}{}{}", quote, name, quote);
        }
    }
    return std::nullopt;
}

base::Result<std::optional<boost::json::object>> object_of(const mlflow::UpstreamAnswer& answer) {
    if (!answer.is_whole) {
        return std::unexpected(unexpected_answer("with more than can be read"));
    }
    boost::system::error_code error;
    const boost::json::value value = boost::json::parse(answer.body, error);
    const boost::json::object* const object = error ? nullptr : value.if_object();
    if (answer.status == 404 && object != nullptr &&
        registry::text_at(*object, "error_code") == "RESOURCE_DOES_NOT_EXIST") {
        return std::nullopt;
    }
    if (answer.status != 200) {
        return base::fail(code_of(answer.status), fmt::format("MLflow answered {}", answer.status));
    }
    if (object == nullptr) {
        return std::unexpected(unexpected_answer("what is no JSON object"));
    }
    return *object;
}

base::Task<base::Result<mlflow::UpstreamAnswer>> RegistryClient::ask(std::string target,
                                                                     std::string workspace,
                                                                     base::Duration patience) {
    return deps_.get({.target = std::move(target),
                      .workspace = std::move(workspace),
                      .max_body = kMaxAnswer,
                      .limit = deps_.worker.now() + patience});
}

base::Task<base::Result<std::optional<registry::RegisteredModel>>> RegistryClient::find_model(registry::ModelKey key) {
    const base::Result<mlflow::UpstreamAnswer> answer =
        co_await ask(fmt::format("{}registered-models/get?name={}", kApi, base::percent_encode(key.name)),
                     std::move(key.workspace),
                     settings_.patience);
    co_return find_in<registry::RegisteredModel>(answer, "registered_model", registry::model_from_json);
}

base::Task<base::Result<std::optional<registry::ModelVersion>>> RegistryClient::find_version(registry::ModelKey key,
                                                                                             std::int64_t version) {
    const base::Result<mlflow::UpstreamAnswer> answer = co_await ask(
        fmt::format("{}model-versions/get?name={}&version={}", kApi, base::percent_encode(key.name), version),
        std::move(key.workspace),
        settings_.patience);
    co_return find_in<registry::ModelVersion>(answer, "model_version", registry::version_from_json);
}

base::Task<base::Result<std::optional<std::string>>> RegistryClient::find_download_uri(registry::ModelKey key,
                                                                                       std::int64_t version) {
    const base::Result<mlflow::UpstreamAnswer> answer = co_await ask(
        fmt::format(
            "{}model-versions/get-download-uri?name={}&version={}", kApi, base::percent_encode(key.name), version),
        std::move(key.workspace),
        settings_.patience);
    if (!answer) {
        co_return std::unexpected(answer.error());
    }
    const base::Result<std::optional<boost::json::object>> object = object_of(*answer);
    if (!object || !*object) {
        co_return object ? base::Result<std::optional<std::string>>(std::nullopt) : std::unexpected(object.error());
    }
    co_return registry::text_at(**object, "artifact_uri");
}

base::Task<base::Result<PageOf<registry::RegisteredModel>>> RegistryClient::list_models(Page page) {
    base::Result<mlflow::UpstreamAnswer> answer =
        co_await ask(search_target("registered-models/search", page, kModelOrder, settings_.page_size),
                     std::move(page.workspace),
                     settings_.page_patience);
    if (!answer) {
        co_return std::unexpected(answer.error());
    }
    base::Result<PageOf<registry::RegisteredModel>> models =
        co_await deps_.pool.run(deps_.worker, kParseLimit, [answer = std::move(*answer)] {
            return page_in<registry::RegisteredModel>(answer, "registered_models", registry::model_from_json);
        });
    co_return models;
}

base::Task<base::Result<PageOf<registry::ModelVersion>>> RegistryClient::list_versions(Page page) {
    base::Result<mlflow::UpstreamAnswer> answer =
        co_await ask(search_target("model-versions/search", page, kVersionOrder, settings_.page_size),
                     std::move(page.workspace),
                     settings_.page_patience);
    if (!answer) {
        co_return std::unexpected(answer.error());
    }
    base::Result<PageOf<registry::ModelVersion>> versions =
        co_await deps_.pool.run(deps_.worker, kParseLimit, [answer = std::move(*answer)] {
            return page_in<registry::ModelVersion>(answer, "model_versions", registry::version_from_json);
        });
    co_return versions;
}

base::Task<base::Result<std::vector<std::string>>> RegistryClient::list_workspaces() {
    const base::Result<mlflow::UpstreamAnswer> info =
        co_await ask("/api/3.0/mlflow/server-info", {}, settings_.patience);
    if (!info) {
        co_return std::unexpected(info.error());
    }
    std::vector<std::string> names{""};
    if (info->status == 404) {
        co_return names;  // a release before there were any
    }
    const base::Result<std::optional<boost::json::object>> object = object_of(*info);
    if (!object) {
        co_return std::unexpected(object.error());
    }
    const boost::json::value* const enabled = *object ? (*object)->if_contains("workspaces_enabled") : nullptr;
    if (enabled == nullptr || !enabled->is_bool() || !enabled->get_bool()) {
        co_return names;
    }
    const base::Result<mlflow::UpstreamAnswer> answer =
        co_await ask("/api/3.0/mlflow/workspaces", {}, settings_.patience);
    if (!answer) {
        co_return std::unexpected(answer.error());
    }
    const auto name_of = [](const boost::json::object& item) -> base::Result<std::string> {
        return registry::text_at(item, "name");
    };
    base::Result<PageOf<std::string>> page = page_in<std::string>(*answer, "workspaces", name_of);
    if (!page) {
        co_return std::unexpected(page.error());
    }
    std::ranges::copy_if(page->items, std::back_inserter(names), [](const std::string& name) {
        return registry::normal_workspace(name) == name && !name.empty() && mlflow::is_workspace_name(name);
    });
    co_return names;
}

}  // namespace replica
