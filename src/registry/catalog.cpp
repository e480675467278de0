#include "registry/catalog.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/strings.hpp"
#include "registry/query.hpp"
#include "registry/validation.hpp"

#include <fmt/format.h>

namespace registry {

base::Result<RegisteredModel> Catalog::model(std::string_view name) const {
    if (auto checked = check_model_name(name); !checked) {
        return std::unexpected(checked.error());
    }
    auto model = reader_.find_model(key(name));
    if (!model) {
        return std::unexpected(model.error());
    }
    if (!*model) {
        return base::fail(base::Code::missing_resource, fmt::format("Registered Model with name={} not found", name));
    }
    return **std::move(model);
}

base::Result<RegisteredModel> Catalog::whole_model(std::string_view name) const {
    auto model = this->model(name);
    if (!model) {
        return model;
    }
    auto latest = reader_.latest_versions(key(name), {});
    if (!latest) {
        return std::unexpected(latest.error());
    }
    model->latest_versions = *std::move(latest);
    return model;
}

base::Result<ModelVersion> Catalog::version(std::string_view name, std::string_view version) const {
    if (auto checked = check_model_name(name); !checked) {
        return std::unexpected(checked.error());
    }
    const auto number = parse_version(version);
    return number ? this->version(name, *number) : std::unexpected(number.error());
}

base::Result<ModelVersion> Catalog::version(std::string_view name, std::int64_t version) const {
    auto found = reader_.find_version(key(name), version);
    if (!found) {
        return std::unexpected(found.error());
    }
    if (!*found) {
        return base::fail(base::Code::missing_resource,
                          fmt::format("Model Version (name={}, version={}) not found", name, version));
    }
    return **std::move(found);
}

base::Result<ModelVersion> Catalog::version_by_alias(std::string_view name, std::string_view alias) const {
    if (auto checked = check_model_name(name); !checked) {
        return std::unexpected(checked.error());
    }
    if (auto checked = check_alias(alias); !checked) {
        return std::unexpected(checked.error());
    }
    if (is_latest_alias(alias)) {
        auto latest = latest_versions(name, {});
        if (!latest) {
            return std::unexpected(latest.error());
        }
        const auto newest = std::ranges::max_element(*latest, {}, &ModelVersion::version);
        if (newest == latest->end()) {
            return base::fail(base::Code::missing_resource,
                              fmt::format("Latest version not found for model {}.", name));
        }
        return *newest;
    }
    const auto model = this->model(name);
    if (!model) {
        return std::unexpected(model.error());
    }
    const auto found = std::ranges::find(model->aliases, alias, &Alias::name);
    if (found == model->aliases.end()) {
        return base::fail(base::Code::invalid_argument, fmt::format("Registered model alias {} not found.", alias));
    }
    return version(name, found->version);
}

base::Result<std::vector<ModelVersion>> Catalog::latest_versions(std::string_view name,
                                                                 const std::vector<std::string>& stages) const {
    const auto model = this->model(name);
    if (!model) {
        return std::unexpected(model.error());
    }
    std::vector<std::string> canonical;
    for (const std::string& stage : stages) {
        auto known = canonical_stage(stage);
        if (!known) {
            return std::unexpected(known.error());
        }
        canonical.push_back(*std::move(known));
    }
    auto latest = reader_.latest_versions(key(name), canonical);
    if (!latest) {
        return latest;
    }
    for (ModelVersion& version : *latest) {
        for (const Alias& alias : model->aliases) {
            if (alias.version == version.version) {
                version.aliases.push_back(alias.name);
            }
        }
    }
    return latest;
}

std::string download_uri(const ModelVersion& version) {
    return version.artifact_uri.empty() ? version.source : version.artifact_uri;
}

bool is_prompt(const RegisteredModel& model) {
    const auto tag = std::ranges::find(model.tags, kPromptTag, &Tag::key);
    return tag != model.tags.end() && base::iequals(tag->value, "true");
}

}  // namespace registry
