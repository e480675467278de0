// One workspace, read with MLflow's checks and in its words when something is missing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "registry/entities.hpp"
#include "registry/store.hpp"

namespace registry {

class Catalog {
public:
    // The reader outlives it.
    Catalog(Reader& reader, std::string workspace) : reader_(reader), workspace_(std::move(workspace)) {}

    [[nodiscard]] const std::string& workspace() const {
        return workspace_;
    }

    [[nodiscard]] ModelKey key(std::string_view name) const {
        return {workspace_, std::string(name)};
    }

    [[nodiscard]] Reader& reader() const {
        return reader_;
    }

    // Without latest versions.
    [[nodiscard]] base::Result<RegisteredModel> model(std::string_view name) const;

    // The model with its latest versions, as single reads show it.
    [[nodiscard]] base::Result<RegisteredModel> whole_model(std::string_view name) const;

    // With aliases.
    [[nodiscard]] base::Result<ModelVersion> version(std::string_view name, std::string_view version) const;
    [[nodiscard]] base::Result<ModelVersion> version(std::string_view name, std::int64_t version) const;
    [[nodiscard]] base::Result<ModelVersion> version_by_alias(std::string_view name, std::string_view alias) const;
    [[nodiscard]] base::Result<std::vector<ModelVersion>> latest_versions(std::string_view name,
                                                                          const std::vector<std::string>& stages) const;

private:
    Reader& reader_;
    std::string workspace_;
};

// Where the artifacts of a version are.
std::string download_uri(const ModelVersion& version);

// By the model's own tag.
bool is_prompt(const RegisteredModel& model);

}  // namespace registry
