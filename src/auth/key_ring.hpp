// Authentication from memory: the keys of the store as one immutable table that all workers read.
//
//   auth::KeyRing ring;                                // one per process
//   ring.publish(*store.load_all());                   // on a blocking thread, again whenever change_counter() moved
//   auth::KeyReader reader(ring, pepper);              // one per worker
//   auto principal = reader.authenticate(key, clock.wall_now());
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/key_hash.hpp"
#include "auth/key_store.hpp"
#include "auth/scopes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"

namespace auth {

// Who a request acts for. The views stay valid as long as the KeyRing, whatever becomes of the key.
struct Principal {
    std::string_view id;
    std::string_view name;
    Scopes scopes;
};

// Everybody, where authentication is switched off: may do everything.
Principal anonymous_principal();

// The sentences existing clients read.
inline constexpr std::string_view kKeyRequired = "API key required";
inline constexpr std::string_view kKeyInvalid = "Invalid or expired API key";

// Safe from any thread.
class KeyRing {
public:
    // Replaces the table. Requests already admitted keep their Principal; the next ones see the new table.
    void publish(const std::vector<KeyRecord>& records);

    // 0 before the first publish(), then one more each time.
    [[nodiscard]] std::uint64_t version() const {
        return version_.load(std::memory_order_acquire);
    }

    // Keys in use since the last call, to be recorded in the store; exact to the second.
    [[nodiscard]] std::vector<KeyUse> take_last_used();

private:
    friend class KeyReader;

    struct Entry {
        explicit Entry(const KeyRecord& stored) : record(stored) {}

        const KeyRecord record;
        mutable std::atomic<std::int64_t> last_used_second{0};  // since the epoch; 0: not since the last take
    };

    struct HashOfHash {
        std::size_t operator()(const KeyHash& hash) const noexcept;
    };

    struct EqualHash {
        bool operator()(const KeyHash& left, const KeyHash& right) const noexcept {
            return equal_in_constant_time(left, right);
        }
    };

    using Table = std::unordered_map<KeyHash, const Entry*, HashOfHash, EqualHash>;

    [[nodiscard]] std::shared_ptr<const Table> table() const;

    mutable std::mutex mutex_;  // guards table_ and entries_
    std::shared_ptr<const Table> table_ = std::make_shared<Table>();
    // Every state of every key ever published, so that a Principal never dangles: it grows only when people change
    // keys.
    std::vector<std::unique_ptr<const Entry>> entries_;
    std::atomic<std::uint64_t> version_{0};
};

// One worker's access to a ring, which must outlive it. Not safe for concurrent use.
class KeyReader {
public:
    KeyReader(const KeyRing& ring, const Pepper& pepper);

    // Takes about 0.5 µs and allocates nothing of ours when the key is good. Does the same work for an unknown key
    // as for a revoked one. Errors: unauthenticated with kKeyRequired (nothing presented) or kKeyInvalid (unknown,
    // revoked, expired, malformed); unavailable before the first publish(), because a good key must not be called bad.
    base::Result<Principal> authenticate(std::string_view presented, base::WallTime now);

private:
    const KeyRing& ring_;
    KeyHasher hasher_;
    std::shared_ptr<const KeyRing::Table> table_;
    std::uint64_t version_ = 0;
};

}  // namespace auth
