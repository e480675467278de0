// Where keys and the record of administrative acts are kept: the ports that storage implements.
//
// All calls may block on a disk: make them on blocking threads only, from any of them. An unavailable, damaged or full
// store is an error with the code and the remedy to show.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/key_hash.hpp"
#include "auth/scopes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"

namespace auth {

// What is known of a key; the key itself is known to its owner only.
struct KeyRecord {
    std::string id;      // UUID
    std::string name;    // given by people, 1 to 100 characters
    std::string prefix;  // what may be shown of the key, "hk_live_abc"
    KeyHash hash{};
    unsigned pepper_version = 0;
    Scopes scopes;
    base::WallTime created_at{};
    std::optional<base::WallTime> expires_at;
    std::optional<base::WallTime> last_used_at;
    std::optional<base::WallTime> revoked_at;
};

// Whether the key is accepted at `now`.
bool is_active(const KeyRecord& record, base::WallTime now);

struct KeyUse {
    std::string id;
    base::WallTime at;
};

// One administrative act. Nothing in it may be secret.
struct AuditEntry {
    base::WallTime at;
    std::string actor;   // "cli", "bootstrap", or the id of the key that asked
    std::string action;  // "key.create", "key.revoke", "breaker.reset" ...
    std::string target;  // the id of what was acted on
    std::string detail;  // for people
};

class KeyStore {
public:
    virtual ~KeyStore() = default;

    // In order of creation, revoked and expired ones included.
    virtual base::Result<std::vector<KeyRecord>> load_all() = 0;

    // The key and its audit entry are durable together, or neither is. Conflict when the id or the hash is already
    // stored.
    virtual base::Result<void> insert(const KeyRecord& record, const AuditEntry& entry) = 0;

    // As insert(). A key already revoked keeps its first time and no entry is written. Gives the record as it is now;
    // not_found when there is no such id.
    virtual base::Result<KeyRecord> revoke(std::string_view id, base::WallTime at, const AuditEntry& entry) = 0;

    // Never moves a time back; ids that are gone are skipped.
    virtual base::Result<void> record_last_used(std::span<const KeyUse> uses) = 0;

    // Grows with every insert and revoke of any process, and with nothing else; cheap enough to ask every second.
    virtual base::Result<std::uint64_t> change_counter() = 0;
};

// Entries can be added and read, never changed.
class AuditLog {
public:
    virtual ~AuditLog() = default;

    virtual base::Result<void> append(const AuditEntry& entry) = 0;

    // The newest first, at most `limit`.
    virtual base::Result<std::vector<AuditEntry>> latest(std::size_t limit) = 0;
};

}  // namespace auth
