// API keys in SQLite.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "auth/key_hash.hpp"
#include "auth/key_store.hpp"
#include "storage/sqlite_database.hpp"

namespace storage {

// Safe from any thread; the database must outlive it. What other processes write is seen at the next call.
class SqliteKeyStore final : public auth::KeyStore {
public:
    explicit SqliteKeyStore(SqliteDatabase& database) : database_(database) {}

    base::Result<std::vector<auth::KeyRecord>> load_all() override;
    base::Result<void> insert(const auth::KeyRecord& record, const auth::AuditEntry& entry) override;
    base::Result<auth::KeyRecord> revoke(std::string_view id,
                                         base::WallTime at,
                                         const auth::AuditEntry& entry) override;
    base::Result<void> record_last_used(std::span<const auth::KeyUse> uses) override;
    base::Result<std::uint64_t> change_counter() override;

private:
    SqliteDatabase& database_;
};

// Whether `hasher` uses the pepper that the stored keys were hashed with; call at start, before any key is checked or
// made. The first call on a new database remembers the pepper. data_loss when it is another one: every key would be
// refused.
base::Result<void> verify_pepper(SqliteDatabase& database, auth::KeyHasher& hasher);

}  // namespace storage
