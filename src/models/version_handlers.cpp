#include <algorithm>
#include <utility>

#include "base/strings.hpp"
#include "models/changes.hpp"
#include "models/handlers.hpp"
#include "models/versions.hpp"
#include "registry/page_token.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace models {

namespace {

namespace json = boost::json;

constexpr std::size_t kMaxResults = 1000;

json::value text_or_null(const std::string& text) {
    return text.empty() ? json::value() : json::value(text);
}

json::object summary_of(const Version& version) {
    return {{"name", version.name.model},
            {"version", std::to_string(version.name.version)},
            {"status", version.status},
            {"created_at", version.created_at},
            {"tags", version.tags}};
}

json::object production_of(const Version& version) {
    return {{"model_name", version.name.model},
            {"version", std::to_string(version.name.version)},
            {"stage", version.stage},
            {"description", text_or_null(version.description)},
            {"tags", version.tags}};
}

Outcome<PageOf> read_page(const Request& request) {
    FieldErrors errors;
    PageOf page{.model = query_parameter(request, "name", errors)};
    if (const auto text = query_parameter(request, "max_results", errors)) {
        const auto number = base::parse_uint(*text);
        if (!number || *number < 1 || *number > kMaxResults) {
            errors.add({"query", "max_results"}, fmt::format("Must be 1 to {}", kMaxResults), "value_error");
        }
        page.max_results = static_cast<std::size_t>(number.value_or(kMaxResults));
    }
    page.token = query_parameter(request, "page_token", errors).value_or("");
    if (!errors.is_empty()) {
        return std::unexpected(errors.response());
    }
    if (!registry::parse_page_token(page.token)) {  // MLflow's answer would be an internal error
        return refuse(404, "No such page: page_token must be the next_page_token of the page before");
    }
    return page;
}

bool is_in_production(const Version& version, const std::vector<AliasOfModel>& aliases) {
    return version.stage == "Production" || std::ranges::any_of(aliases, [&version](const AliasOfModel& one) {
               return (one.alias == "production" || one.alias == "champion") && one.version == version.name;
           });
}

// The change of the version that the path names.
template <class Change>
base::Task<http::Response> change_version(Context& context, const Request& request, Change (*read)(Members members)) {
    const Outcome<VersionName> name = version_in_path(request);
    if (!name) {
        co_return name.error();
    }
    const Outcome<json::object> body = read_object(request);
    if (!body) {
        co_return body.error();
    }
    FieldErrors errors;
    Change change = read(Members(*body, {"body"}, errors));
    if (!errors.is_empty()) {
        co_return errors.response();
    }
    const Outcome<std::string> changed = co_await carry_out(context.mlflow, *name, std::move(change));
    co_return changed ? done(*changed) : changed.error();
}

}  // namespace

base::Task<http::Response> list_models(Context& context, const Request& request) {
    const Outcome<PageOf> asked = read_page(request);
    if (!asked) {
        co_return asked.error();
    }
    json::object answer;
    json::array& models = answer["models"].emplace_array();
    if (asked->model && !version_name(*asked->model, "1")) {
        co_return to_response(answer);  // no model has such a name
    }
    const Outcome<VersionPage> page = co_await list_versions(context.mlflow, *asked);
    if (!page) {
        co_return page.error();
    }
    for (const Version& version : page->versions) {
        models.push_back(summary_of(version));
    }
    if (!page->next_page_token.empty()) {
        answer["next_page_token"] = page->next_page_token;
    }
    co_return to_response(answer);
}

base::Task<http::Response> list_production(Context& context, const Request& /*request*/) {
    const Outcome<AllVersions> all = co_await list_all_versions(context.mlflow, std::nullopt);
    if (!all) {
        co_return all.error();
    }
    const Outcome<std::vector<AliasOfModel>> aliases = co_await list_aliases(context.mlflow);
    if (!aliases) {
        co_return aliases.error();
    }
    json::object answer;
    json::array& models = answer["models"].emplace_array();
    for (const Version& version : all->versions) {
        if (is_in_production(version, *aliases)) {
            models.push_back(production_of(version));
        }
    }
    if (!all->is_complete) {
        answer["missing"] = json::array{"versions beyond the first 10,000"};
    }
    co_return to_response(answer);
}

base::Task<http::Response> show_version(Context& context, const Request& request) {
    const Outcome<Version> version = co_await find_version(context.mlflow, version_in_path(request));
    if (!version) {
        co_return version.error();
    }
    json::array aliases;
    for (const std::string& alias : version->aliases) {
        aliases.emplace_back(alias);
    }
    co_return to_response({{"name", version->name.model},
                           {"version", std::to_string(version->name.version)},
                           {"status", version->status},
                           {"description", text_or_null(version->description)},
                           {"tags", version->tags},
                           {"stage", version->stage},
                           {"aliases", std::move(aliases)},
                           {"run_id", text_or_null(version->run_id)},
                           {"created_at", version->created_at}});
}

base::Task<http::Response> update_version(Context& context, const Request& request) {
    return change_version<Update>(context, request, read_update);
}

base::Task<http::Response> transition_version(Context& context, const Request& request) {
    return change_version<Transition>(context, request, read_transition);
}

base::Task<http::Response> delete_version(Context& context, const Request& request) {
    const Outcome<VersionName> name = version_in_path(request);
    if (!name) {
        co_return name.error();
    }
    const Outcome<std::string> deleted = co_await carry_out_delete(context.mlflow, *name);
    co_return deleted ? done(*deleted) : deleted.error();
}

}  // namespace models
