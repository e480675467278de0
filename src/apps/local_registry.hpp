// The model registry of this process alone: its rows, its index in memory, and the threads that wait for the disk.
#pragma once

#include <filesystem>
#include <memory>

#include "apps/part.hpp"
#include "base/clock.hpp"
#include "net/blocking_pool.hpp"
#include "registry/alias_index.hpp"
#include "registry/indexed_store.hpp"
#include "registry/recorded_store.hpp"
#include "registry/registry.hpp"
#include "registry_http/native_registry.hpp"
#include "storage/sqlite_registry_store.hpp"

namespace apps {

// Shared by all workers, which outlive it.
class LocalRegistry final : public Part {
public:
    // `database`: migrated. Fills the index from its rows; blocks. Throws base::ConfigError when they can't be read.
    LocalRegistry(const std::filesystem::path& database, const base::Clock& clock);

    [[nodiscard]] registry_http::NativeRegistry& calls() {
        return calls_;
    }

    [[nodiscard]] const registry::AliasIndex& aliases() const {
        return aliases_;
    }

    // Where what is written to the same file takes turns with the calls that write.
    [[nodiscard]] net::BlockingPool& writes() {
        return writes_;
    }

    [[nodiscard]] bool is_idle() const override {
        return reads_.is_idle() && writes_.is_idle();
    }

    void join() override;

private:
    std::unique_ptr<storage::SqliteRegistryStore> rows_;
    registry::RecordedStore recorded_;
    registry::AliasIndex aliases_;
    registry::IndexedStore store_;
    registry::Registry registry_;
    net::BlockingPool reads_;
    net::BlockingPool writes_;
    registry_http::NativeRegistry calls_;
};

}  // namespace apps
