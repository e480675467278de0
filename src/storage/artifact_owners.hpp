// Whose artifacts are whose, as the rows of a registry say.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "storage/artifact_index.hpp"
#include "storage/sqlite_database.hpp"

namespace storage {

// Of versions in MLflow's default workspace whose artifacts MLflow's server hands out (mlflow-artifacts:/). Calls
// block, from any thread.
class ArtifactOwners {
public:
    explicit ArtifactOwners(std::unique_ptr<SqliteDatabase> registry) : registry_(std::move(registry)) {}

    // Whether `path` is, or lies within, what a registered version consists of.
    base::Result<bool> has_owner(const std::string& path);

    // The folders of versions that an alias leads to.
    base::Result<std::vector<Pin>> aliased_folders();

private:
    std::unique_ptr<SqliteDatabase> registry_;
};

}  // namespace storage
