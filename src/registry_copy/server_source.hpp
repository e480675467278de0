// A running MLflow, or a hokusai, as the source of a copy.
#pragma once

#include <functional>
#include <optional>

#include "base/error.hpp"
#include "registry_client/api.hpp"
#include "registry_copy/copy.hpp"

namespace registry_copy {

// It is asked model by model, so the whole is no view of one moment. Of deleted versions only the gaps they left are
// known.
class ServerSource final : public RegistrySource {
public:
    explicit ServerSource(registry_client::Api& api) : api_(api) {}

    // In the order of workspace and name.
    base::Result<void> for_each_model(const std::function<base::Result<void>(const ModelCopy&)>& take) override;

private:
    registry_client::Api& api_;
};

enum class DownloadUris { ask, leave_out };  // each is a call of its own

// Nothing when there is no such model.
base::Result<std::optional<ModelCopy>> read_model(registry_client::Api& api,
                                                  const registry::ModelKey& key,
                                                  DownloadUris download_uris);

}  // namespace registry_copy
