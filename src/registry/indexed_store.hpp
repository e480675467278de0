// A store that keeps an alias index in step with another store, which all its writes go to.
#pragma once

#include <functional>
#include <mutex>

#include "base/error.hpp"
#include "registry/alias_index.hpp"
#include "registry/store.hpp"

namespace registry {

class IndexedStore final : public Store {
public:
    // Both outlive it.
    IndexedStore(Store& store, AliasIndex& index) : store_(store), index_(index) {}

    // Fills the index with all models of the store.
    base::Result<void> load();

    base::Result<void> read(const std::function<base::Result<void>(Reader&)>& work) override;

    // When it returns, the index shows what was written.
    base::Result<void> write(const std::function<base::Result<void>(Writer&)>& work) override;

private:
    Store& store_;
    AliasIndex& index_;
    std::mutex writing_;  // a commit and what the index learns of it are one step, in one order
};

}  // namespace registry
