#include "replica/call_target.hpp"

#include <algorithm>
#include <utility>

#include "base/strings.hpp"
#include "registry/json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace replica {

namespace {

using registry::Operation;

constexpr std::string_view kLatest = "latest";

bool is_about_version(Operation operation) {
    switch (operation) {
        case Operation::update_version:
        case Operation::transition_stage:
        case Operation::delete_version:
        case Operation::get_version:
        case Operation::get_download_uri:
        case Operation::set_version_tag:
        case Operation::delete_version_tag:
            return true;
        default:
            return false;
    }
}

}  // namespace

std::vector<registry::ModelKey> CallTarget::models() const {
    std::vector<registry::ModelKey> keys{model};
    if (!new_name.empty() && new_name != model.name) {
        keys.push_back({model.workspace, new_name});
    }
    std::ranges::sort(keys);
    return keys;
}

base::Result<CallTarget> target_of(const registry::Call& call) {
    const base::Result<boost::json::object> arguments = registry::arguments_of(call);
    if (!arguments) {
        return std::unexpected(arguments.error());
    }
    CallTarget target;
    target.model = {std::string(registry::normal_workspace(call.workspace)), registry::text_at(*arguments, "name")};
    if (call.operation == Operation::search_models || call.operation == Operation::search_versions) {
        return target;
    }
    target.alias = registry::text_at(*arguments, "alias");
    target.new_name = registry::text_at(*arguments, "new_name");
    const boost::json::value* const archives = arguments->if_contains("archive_existing_versions");
    target.archives_others = archives != nullptr && archives->is_bool() && archives->get_bool();
    const std::optional<std::uint64_t> version = base::parse_uint(base::trim(registry::text_at(*arguments, "version")));
    target.version = static_cast<std::int64_t>(version.value_or(0));
    if (target.model.name.empty() || (is_about_version(call.operation) && target.version <= 0)) {
        return base::fail(base::Code::invalid_argument, "the call does not say what it is about");
    }
    return target;
}

std::optional<Part> part_of(const registry::Call& call, const CallTarget& target) {
    switch (call.operation) {
        case Operation::get_model:
        case Operation::get_latest_versions:
            return Part{};
        case Operation::get_version_by_alias:
            return base::iequals(target.alias, kLatest) ? Part{}
                                                        : Part{.kind = Part::Kind::alias, .alias = target.alias};
        case Operation::get_version:
        case Operation::get_download_uri:
            return Part{.kind = Part::Kind::version, .version = target.version};
        default:
            return std::nullopt;
    }
}

bool depends_on_absence(const registry::Call& call, const CallTarget& target) {
    switch (call.operation) {
        case Operation::get_version:
        case Operation::get_download_uri:
            return false;
        case Operation::get_version_by_alias:
            return base::iequals(target.alias, kLatest);
        default:
            return true;
    }
}

std::optional<ModelView> view_of(const registry::Call& call,
                                 const CallTarget& target,
                                 std::string_view body,
                                 const Asked& asked) {
    boost::system::error_code error;
    const boost::json::value value = boost::json::parse(body, error);
    const boost::json::object* const answer = error ? nullptr : value.if_object();
    if (answer == nullptr) {
        return std::nullopt;
    }
    ModelView view;
    view.key = target.model;
    view.asked = asked;
    if (const boost::json::value* const item = answer->if_contains("registered_model"); item && item->is_object()) {
        base::Result<registry::RegisteredModel> model = registry::model_from_json(item->get_object());
        if (model && (model->name == target.model.name || model->name == target.new_name)) {
            view.key.name = model->name;
            view.model = std::move(*model);
            view.is_whole = call.operation == Operation::create_model;
            return view;
        }
    }
    if (const boost::json::value* const item = answer->if_contains("model_version"); item && item->is_object()) {
        base::Result<registry::ModelVersion> version = registry::version_from_json(item->get_object());
        if (version && version->name == target.model.name) {
            view.versions.push_back(std::move(*version));
            view.knows_aliases = true;
            return view;
        }
    }
    return std::nullopt;
}

Rereading rereading_after(Operation operation, const CallTarget& target) {
    switch (operation) {
        case Operation::create_model:
        case Operation::update_model:
        case Operation::update_version:
            return {};
        case Operation::rename_model:
            return {.everything = true};
        case Operation::delete_model:
        case Operation::set_model_tag:
        case Operation::delete_model_tag:
        case Operation::set_alias:
        case Operation::delete_alias:
            return {.model = true};
        case Operation::create_version:
            return {.model = true, .download_uri = true};
        case Operation::transition_stage:
            return {.model = true, .everything = target.archives_others};
        case Operation::delete_version:
            return {.model = true, .version = true};
        case Operation::set_version_tag:
        case Operation::delete_version_tag:
            return {.version = true};
        default:
            return {};
    }
}

}  // namespace replica
