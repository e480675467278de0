// A registry store as source and as target of a copy: exact, down to times and download locations.
#pragma once

#include <functional>
#include <optional>

#include "base/error.hpp"
#include "registry/store.hpp"
#include "registry_copy/copy.hpp"

namespace registry_copy {

base::Result<std::optional<ModelCopy>> read_model(registry::Reader& reader, const registry::ModelKey& key);

// One view of the store, whatever is written meanwhile. The store outlives it.
class StoreSource final : public RegistrySource {
public:
    explicit StoreSource(registry::Store& store) : store_(store) {}

    base::Result<void> for_each_model(const std::function<base::Result<void>(const ModelCopy&)>& take) override;

private:
    registry::Store& store_;
};

// Within a transaction of the caller's, which outlives it.
class StoreTarget final : public RegistryTarget {
public:
    explicit StoreTarget(registry::Writer& writer) : writer_(writer) {}

    base::Result<std::optional<ModelCopy>> find_model(const registry::ModelKey& key) override;
    base::Result<void> add_model(const ModelCopy& model, const std::optional<ModelCopy>& there) override;

private:
    registry::Writer& writer_;
};

}  // namespace registry_copy
