#include "registry/registry.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "base/ensure.hpp"
#include "registry/answers.hpp"

namespace registry {

namespace {

Timestamp to_timestamp(base::WallTime time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

Answer answer_read(Operation operation, const Catalog& catalog, const Arguments& arguments) {
    switch (operation) {
        case Operation::get_model:
            return get_model(catalog, arguments);
        case Operation::search_models:
            return search_models(catalog, arguments);
        case Operation::get_latest_versions:
            return get_latest_versions(catalog, arguments);
        case Operation::get_version_by_alias:
            return get_version_by_alias(catalog, arguments);
        case Operation::get_version:
            return get_version(catalog, arguments);
        case Operation::search_versions:
            return search_versions(catalog, arguments);
        case Operation::get_download_uri:
            return get_download_uri(catalog, arguments);
        default:
            ENSURE(false, "writes have a writer");
    }
}

Answer answer_write(Operation operation, const Change& change, const Arguments& arguments) {
    switch (operation) {
        case Operation::create_model:
            return create_model(change, arguments);
        case Operation::rename_model:
            return rename_model(change, arguments);
        case Operation::update_model:
            return update_model(change, arguments);
        case Operation::delete_model:
            return delete_model(change, arguments);
        case Operation::set_model_tag:
            return set_model_tag(change, arguments);
        case Operation::delete_model_tag:
            return delete_model_tag(change, arguments);
        case Operation::set_alias:
            return set_alias(change, arguments);
        case Operation::delete_alias:
            return delete_alias(change, arguments);
        case Operation::create_version:
            return create_version(change, arguments);
        case Operation::update_version:
            return update_version(change, arguments);
        case Operation::transition_stage:
            return transition_stage(change, arguments);
        case Operation::delete_version:
            return delete_version(change, arguments);
        case Operation::set_version_tag:
            return set_version_tag(change, arguments);
        case Operation::delete_version_tag:
            return delete_version_tag(change, arguments);
        default:
            return answer_read(operation, change.catalog, arguments);
    }
}

}  // namespace

base::Result<void> check_rollback(const Call& call, std::span<const Alias> aliases) {
    const std::optional<Act> act = call.rollback_from ? act_of(call) : std::nullopt;
    if (!act || act->event != AliasEvent::rolled_back) {
        return {};
    }
    const auto found = std::ranges::find(aliases, act->alias, &Alias::name);
    const std::int64_t present = found == aliases.end() ? 0 : found->version;
    if (present == *call.rollback_from) {
        return {};
    }
    return base::fail(
        base::Code::conflict,
        "Alias '" + act->alias + "' of model '" + act->model.name + "' " +
            (present == 0 ? "is not set any more" : "names version " + std::to_string(present) + " by now") +
            ": look at its history again before rolling it back");
}

Answer Registry::read(Reader& reader, const Call& call) const {
    auto arguments = arguments_of(call);
    if (!arguments) {
        return std::unexpected(arguments.error());
    }
    return answer_read(call.operation, Catalog(reader, call.workspace), Arguments(*std::move(arguments)));
}

Answer carry_out(Writer& writer, const Call& call, base::WallTime now) {
    auto arguments = arguments_of(call);
    if (!arguments) {
        return std::unexpected(arguments.error());
    }
    if (const std::optional<Act> act = act_of(call)) {
        writer.ascribe(*act);
    }
    const Change change{writer, Catalog(writer, call.workspace), to_timestamp(now), call.user};
    return answer_write(call.operation, change, Arguments(*std::move(arguments)));
}

Answer Registry::write(Writer& writer, const Call& call) const {
    return carry_out(writer, call, clock_.wall_now());
}

base::Result<void> Registry::check_rollback(Reader& reader, const Call& call) {
    if (!call.rollback_from) {
        return {};
    }
    const std::optional<Act> act = act_of(call);
    const auto model = reader.find_model(act ? act->model : ModelKey());
    if (!model) {
        return std::unexpected(model.error());
    }
    return registry::check_rollback(call, *model ? (*model)->aliases : std::vector<Alias>());
}

Answer Registry::answer(const Call& call) {
    boost::json::object answer;
    const auto keep = [&](Answer result) -> base::Result<void> {
        if (!result) {
            return std::unexpected(std::move(result).error());
        }
        answer = *std::move(result);
        return {};
    };
    const auto done = is_read(call.operation) ? store_.read([&](Reader& reader) { return keep(read(reader, call)); })
                                              : store_.write([&](Writer& writer) -> base::Result<void> {
                                                    const auto allowed = check_rollback(writer, call);
                                                    return allowed ? keep(write(writer, call)) : allowed;
                                                });
    return done ? Answer(std::move(answer)) : std::unexpected(done.error());
}

}  // namespace registry
