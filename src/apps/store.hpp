// The data folder opened for a command: database, keys, audit log, pepper.
#pragma once

#include <memory>

#include "apps/settings.hpp"
#include "auth/key_hash.hpp"
#include "storage/sqlite_audit_log.hpp"
#include "storage/sqlite_database.hpp"
#include "storage/sqlite_key_store.hpp"

namespace apps {

// Creates what is missing. Blocks; for start-up and commands.
struct Store {
    // Throws base::ConfigError naming the folder or file that can't be used.
    explicit Store(const ServiceSettings& settings);

    std::unique_ptr<storage::SqliteDatabase> database;
    storage::SqliteKeyStore keys;
    storage::SqliteAuditLog audit_log;
    auth::Pepper pepper;
};

// Turns a start-up failure into the exception that ends the process with a message.
template <class T>
T or_config_error(base::Result<T> result, const std::string& attempted) {
    if (!result) {
        throw base::ConfigError(attempted + ": " + result.error().message);
    }
    if constexpr (!std::is_void_v<T>) {
        return std::move(*result);
    }
}

}  // namespace apps
