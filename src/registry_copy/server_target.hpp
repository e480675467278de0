// A running MLflow, or a hokusai, as the target of a copy.
#pragma once

#include <optional>

#include "base/error.hpp"
#include "registry_client/api.hpp"
#include "registry_copy/copy.hpp"

namespace registry_copy {

// What a server decides by itself is new: times, users, states, download locations. Versions keep their numbers: those
// missing are given to versions that are deleted again. The model bears kUnfinishedTag until all of it is there.
class ServerTarget final : public RegistryTarget {
public:
    explicit ServerTarget(registry_client::Api& api) : api_(api) {}

    base::Result<std::optional<ModelCopy>> find_model(const registry::ModelKey& key) override;

    // conflict when somebody else makes versions of the model meanwhile.
    base::Result<void> add_model(const ModelCopy& model, const std::optional<ModelCopy>& there) override;

private:
    registry_client::Api& api_;
};

}  // namespace registry_copy
