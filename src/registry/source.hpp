// Where a new version says its artifacts are, checked as MLflow's server checks it (mlflow/server/handlers.py). A
// registry by itself knows neither runs nor logged models, so what would have to lie within one is refused.
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "registry/catalog.hpp"

namespace registry {

struct Source {
    std::string uri;
    std::optional<std::string> run_id;    // none: not said
    std::optional<std::string> model_id;  // of a logged model
};

struct Origin {
    std::string source;        // with a models:/ URI resolved to name and version
    std::string artifact_uri;  // where the artifacts really are
    std::optional<std::string> run_id;
};

base::Result<Origin> resolve_source(const Catalog& catalog, const Source& source);

// Prompts have no artifacts: their source is one of MLflow's placeholders.
base::Result<Origin> resolve_prompt_source(const Source& source);

}  // namespace registry
