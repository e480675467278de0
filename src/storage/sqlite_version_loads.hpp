// Who was last given which version, in the main database.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "registry/version_loads.hpp"
#include "storage/sqlite_database.hpp"

namespace storage {

// Safe from any thread; calls block. `registry` as for the alias history.
class SqliteVersionLoads {
public:
    // `database`: of a data folder, migrated.
    SqliteVersionLoads(std::unique_ptr<SqliteDatabase> database, std::string registry)
        : database_(std::move(database)), registry_(std::move(registry)) {}

    // In place of older ones of the same key and version. Of all there are, the most recent
    // registry::VersionLoads::kCapacity stay.
    base::Result<void> put(const std::vector<registry::VersionLoad>& loads);

    base::Result<std::vector<registry::VersionLoad>> all();

private:
    const std::unique_ptr<SqliteDatabase> database_;
    const std::string registry_;
};

}  // namespace storage
