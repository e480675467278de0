// The schema and how it came about.
#pragma once

#include "base/error.hpp"
#include "storage/sqlite_database.hpp"

namespace storage {

enum class Schema {
    main,       // keys, audit log, a registry of our own
    replica,    // a copy of MLflow's registry, nothing else
    journal,    // calls that are owed to MLflow
    artifacts,  // which of MLflow's artifacts are kept
};

// The version this program works with: the number of migrations.
int schema_version(Schema schema);

// Applies what is missing, each step in a transaction of its own, so that a crash leaves a whole version behind.
// Several processes may do so at once. unsupported for a database of a newer program or of another program altogether.
base::Result<void> migrate(SqliteDatabase& database, Schema schema);

}  // namespace storage
