#include <algorithm>
#include <utility>

#include "registry/answers.hpp"
#include "registry/filter.hpp"
#include "registry/json.hpp"
#include "registry/order_by.hpp"
#include "registry/page_token.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

namespace registry {

namespace {

namespace json = boost::json;

constexpr std::int64_t kModelsPerPage = 100;
constexpr std::int64_t kVersionsPerPage = 200'000;

Answer wrapped(std::string_view name, const base::Result<ModelVersion>& version) {
    if (!version) {
        return std::unexpected(version.error());
    }
    return json::object{{name, to_json(*version)}};
}

template <class Entity>
json::array to_array(const std::vector<Entity>& entities) {
    json::array array;
    array.reserve(entities.size());
    for (const Entity& entity : entities) {
        array.emplace_back(to_json(entity));
    }
    return array;
}

// The query for one row more than a page has: if it is found, there is a next page.
base::Result<Query> make_query(const Catalog& catalog,
                               const Arguments& arguments,
                               base::Result<Filter> filter,
                               base::Result<std::vector<OrderTerm>> order,
                               std::int64_t page_size) {
    if (!filter) {
        return std::unexpected(filter.error());
    }
    if (!order) {
        return std::unexpected(order.error());
    }
    const auto offset = parse_page_token(arguments.text("page_token"));
    if (!offset) {
        return std::unexpected(offset.error());
    }
    return Query{.workspace = catalog.workspace(),
                 .conditions = std::move(filter->conditions),
                 .order = *std::move(order),
                 .hides_prompts = filter->hides_prompts,
                 .offset = *offset,
                 .limit = page_size + 1};
}

template <class Entity>
json::object page(std::string_view name, std::vector<Entity> found, const Query& query) {
    json::object answer;
    const bool is_more = static_cast<std::int64_t>(found.size()) == query.limit;
    if (is_more) {
        found.pop_back();
    }
    if (!found.empty()) {
        answer.emplace(name, to_array(found));
    }
    if (is_more) {
        answer.emplace("next_page_token", make_page_token(query.offset + query.limit - 1));
    }
    return answer;
}

base::Result<void> check_page_size(std::int64_t size, std::int64_t minimum) {
    if (size >= minimum) {
        return {};
    }
    return base::fail(base::Code::invalid_argument,
                      fmt::format("Invalid value for max_results. It must be a positive integer, but got {}", size));
}

}  // namespace

Answer get_model(const Catalog& catalog, const Arguments& arguments) {
    const auto model = catalog.whole_model(arguments.text("name"));
    if (!model) {
        return std::unexpected(model.error());
    }
    return json::object{{"registered_model", to_json(*model)}};
}

Answer get_latest_versions(const Catalog& catalog, const Arguments& arguments) {
    const auto versions = catalog.latest_versions(arguments.text("name"), arguments.texts("stages"));
    if (!versions) {
        return std::unexpected(versions.error());
    }
    return versions->empty() ? json::object() : json::object{{"model_versions", to_array(*versions)}};
}

Answer get_version(const Catalog& catalog, const Arguments& arguments) {
    return wrapped("model_version", catalog.version(arguments.text("name"), arguments.text("version")));
}

Answer get_version_by_alias(const Catalog& catalog, const Arguments& arguments) {
    return wrapped("model_version", catalog.version_by_alias(arguments.text("name"), arguments.text("alias")));
}

Answer get_download_uri(const Catalog& catalog, const Arguments& arguments) {
    const auto version = catalog.version(arguments.text("name"), arguments.text("version"));
    if (!version) {
        return std::unexpected(version.error());
    }
    return json::object{{"artifact_uri", download_uri(*version)}};
}

Answer search_models(const Catalog& catalog, const Arguments& arguments) {
    const std::int64_t page_size = arguments.number("max_results", kModelsPerPage);
    if (auto checked = check_page_size(page_size, 0); !checked) {
        return std::unexpected(checked.error());
    }
    const auto query = make_query(catalog,
                                  arguments,
                                  parse_model_filter(arguments.text("filter")),
                                  parse_model_order(arguments.texts("order_by")),
                                  page_size);
    if (!query) {
        return std::unexpected(query.error());
    }
    auto found = catalog.reader().search_models(*query);
    if (!found) {
        return std::unexpected(found.error());
    }
    // MLflow lists the stages in one order here and in another where it shows a single model.
    for (RegisteredModel& model : *found) {
        std::ranges::sort(model.latest_versions, {}, &ModelVersion::current_stage);
    }
    return page("registered_models", *std::move(found), *query);
}

Answer search_versions(const Catalog& catalog, const Arguments& arguments) {
    const std::int64_t page_size = arguments.number("max_results", kVersionsPerPage);
    if (auto checked = check_page_size(page_size, 1); !checked) {
        return std::unexpected(checked.error());
    }
    const auto query = make_query(catalog,
                                  arguments,
                                  parse_version_filter(arguments.text("filter")),
                                  parse_version_order(arguments.texts("order_by")),
                                  page_size);
    if (!query) {
        return std::unexpected(query.error());
    }
    auto found = catalog.reader().search_versions(*query);
    return found ? Answer(page("model_versions", *std::move(found), *query)) : std::unexpected(found.error());
}

}  // namespace registry
