// A model registry copied from one place to another: the store of a data folder, a running MLflow or hokusai, a file.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "registry/entities.hpp"
#include "registry/store.hpp"

namespace registry_copy {

// A model with all it takes to have it elsewhere.
struct ModelCopy {
    std::string workspace;
    registry::RegisteredModel model;                 // without its latest versions
    std::int64_t highest_version = 0;                // given out so far, deleted ones included, as far as is known
    std::vector<registry::ModelVersion> versions{};  // ascending, without aliases

    bool operator==(const ModelCopy&) const = default;

    [[nodiscard]] registry::ModelKey key() const {
        return {workspace, model.name};
    }
};

// "model 'fraud'", with its workspace if it has one.
std::string label(const registry::ModelKey& key);

// On a model while it is being made where that takes several calls: whoever finds it there may complete the model.
inline constexpr std::string_view kUnfinishedTag = "hokusai.import";

bool is_unfinished(const ModelCopy& model);

class RegistrySource {
public:
    virtual ~RegistrySource() = default;

    // Each model once. An error of `take` ends it.
    virtual base::Result<void> for_each_model(const std::function<base::Result<void>(const ModelCopy&)>& take) = 0;
};

using FindModel = std::function<base::Result<std::optional<ModelCopy>>(const registry::ModelKey&)>;

class RegistryTarget {
public:
    virtual ~RegistryTarget() = default;

    // Nothing when there is none. What is said of its versions may end at number, source and run.
    virtual base::Result<std::optional<ModelCopy>> find_model(const registry::ModelKey& key) = 0;

    // Makes the model with the numbers it had. `there` is what find_model() answered: nothing, or an unfinished one,
    // which is completed.
    virtual base::Result<void> add_model(const ModelCopy& model, const std::optional<ModelCopy>& there) = 0;
};

// What to do with models that are there already. Those an earlier import has left unfinished are completed under
// `skip`.
enum class Existing { refuse, skip };

struct ImportReport {
    registry::Counts added;         // with those completed
    std::int64_t completed = 0;     // models
    std::int64_t skipped = 0;       // models that were there and have every version of the source
    std::vector<std::string> left;  // which models are not as in the source, and why
};

// What import_models() would do; nothing is written. already_exists under `refuse`, naming a model.
base::Result<ImportReport> plan_import(RegistrySource& source, const FindModel& find_model, Existing existing);

// As under `skip`. A model that the target refuses is left and named; trouble with the target ends it.
base::Result<ImportReport> import_models(RegistrySource& source, RegistryTarget& target);

}  // namespace registry_copy
