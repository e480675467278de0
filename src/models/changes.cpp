#include "models/changes.hpp"

#include <utility>

#include "models/versions.hpp"
#include "registry/validation.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace models {

namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDescription = 5000;  // MLflow's column
constexpr std::size_t kMaxTag = 100'000;
constexpr std::size_t kMaxStage = 100;

base::Task<Outcome<void>> send(
    MlflowApi& mlflow, std::string_view method, std::string_view what, const VersionName& name, json::object body) {
    body["name"] = name.model;
    body["version"] = std::to_string(name.version);
    const base::Result<ApiAnswer> answer =
        co_await mlflow.call({.method = method,
                              .target = fmt::format("/api/2.0/mlflow/model-versions/{}", what),
                              .body = json::serialize(body)});
    const Outcome<json::object> object = object_in(answer, "Model not found: " + name.text());
    if (!object) {
        co_return std::unexpected(object.error());
    }
    co_return Outcome<void>();
}

}  // namespace

Update read_update(Members members) {
    Update update;
    update.description = members.text("description", Presence::optional, kMaxDescription);
    update.tags = members.texts("tags", kMaxTag);
    for (const auto& [name, value] : update.tags) {
        const base::Result<void> valid = registry::check_version_tag({name, value});
        if (!valid || !is_clean_text(name)) {
            members.fail("tags", valid ? "A name has control characters" : valid.error().message, "value_error");
        }
    }
    return update;
}

Transition read_transition(Members members) {
    Transition transition;
    if (const auto stage = members.text("stage", Presence::optional, kMaxStage)) {
        const base::Result<std::string> known = registry::canonical_stage(*stage);
        if (known) {
            transition.stage = *known;
        } else {
            members.fail("stage", known.error().message, "value_error");
        }
    }
    transition.archives_existing = members.boolean("archive_existing").value_or(true);
    return transition;
}

base::Task<Outcome<std::string>> carry_out(MlflowApi& mlflow, VersionName name, Update update) {
    if (!update.description && update.tags.empty()) {
        const Outcome<Version> found = co_await find_version(mlflow, name);
        if (!found) {
            co_return std::unexpected(found.error());
        }
    }
    if (update.description) {
        const Outcome<void> sent =
            co_await send(mlflow, "PATCH", "update", name, {{"description", *update.description}});
        if (!sent) {
            co_return std::unexpected(sent.error());
        }
    }
    for (const auto& [key, value] : update.tags) {
        const Outcome<void> sent = co_await send(mlflow, "POST", "set-tag", name, {{"key", key}, {"value", value}});
        if (!sent) {
            co_return std::unexpected(sent.error());
        }
    }
    co_return std::string("Model updated successfully");
}

base::Task<Outcome<std::string>> carry_out(MlflowApi& mlflow, VersionName name, Transition transition) {
    // MLflow refuses to archive others for stages nobody serves from.
    const bool may_archive = transition.stage == "Production" || transition.stage == "Staging";
    const Outcome<void> sent = co_await send(
        mlflow,
        "POST",
        "transition-stage",
        name,
        {{"stage", transition.stage}, {"archive_existing_versions", may_archive && transition.archives_existing}});
    if (!sent) {
        co_return std::unexpected(sent.error());
    }
    co_return fmt::format("Model {} transitioned to {}", name.text(), transition.stage);
}

base::Task<Outcome<std::string>> carry_out_delete(MlflowApi& mlflow, VersionName name) {
    const Outcome<void> sent = co_await send(mlflow, "DELETE", "delete", name, {});
    if (!sent) {
        co_return std::unexpected(sent.error());
    }
    co_return fmt::format("Model {} deleted successfully", name.text());
}

}  // namespace models
