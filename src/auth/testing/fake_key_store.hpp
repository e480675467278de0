// A key store and audit log in memory, which can be told to fail.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "auth/key_store.hpp"

namespace auth::testing {

// Safe from any thread.
class FakeKeyStore : public KeyStore, public AuditLog {
public:
    // From now on every call answers this error; nothing ends it.
    void fail_with(std::optional<base::Error> error) {
        const std::lock_guard lock(mutex_);
        failure_ = std::move(error);
    }

    // The same for calls that change something: a store that can only be read.
    void fail_writes_with(std::optional<base::Error> error) {
        const std::lock_guard lock(mutex_);
        write_failure_ = std::move(error);
    }

    base::Result<std::vector<KeyRecord>> load_all() override {
        return guarded([this]() -> base::Result<std::vector<KeyRecord>> { return records_; });
    }

    base::Result<void> insert(const KeyRecord& record, const AuditEntry& entry) override {
        return guarded_write([&]() -> base::Result<void> {
            for (const KeyRecord& other : records_) {
                if (other.id == record.id || other.hash == record.hash) {
                    return base::fail(base::Code::conflict, "this API key is already stored");
                }
            }
            records_.push_back(record);
            entries_.push_back(entry);
            ++changes_;
            return {};
        });
    }

    base::Result<KeyRecord> revoke(std::string_view id, base::WallTime at, const AuditEntry& entry) override {
        return guarded_write([&]() -> base::Result<KeyRecord> {
            const auto record = std::ranges::find(records_, id, &KeyRecord::id);
            if (record == records_.end()) {
                return base::fail(base::Code::not_found, "API key not found");
            }
            if (!record->revoked_at) {
                record->revoked_at = at;
                entries_.push_back(entry);
                ++changes_;
            }
            return *record;
        });
    }

    base::Result<void> record_last_used(std::span<const KeyUse> uses) override {
        return guarded_write([&]() -> base::Result<void> {
            for (const KeyUse& use : uses) {
                const auto record = std::ranges::find(records_, use.id, &KeyRecord::id);
                if (record != records_.end()) {
                    record->last_used_at = std::max(record->last_used_at.value_or(use.at), use.at);
                }
            }
            return {};
        });
    }

    base::Result<std::uint64_t> change_counter() override {
        return guarded([this]() -> base::Result<std::uint64_t> { return changes_; });
    }

    base::Result<void> append(const AuditEntry& entry) override {
        return guarded_write([&]() -> base::Result<void> {
            entries_.push_back(entry);
            return {};
        });
    }

    base::Result<std::vector<AuditEntry>> latest(std::size_t limit) override {
        return guarded([&]() -> base::Result<std::vector<AuditEntry>> {
            const auto count = static_cast<std::ptrdiff_t>(std::min(limit, entries_.size()));
            return std::vector<AuditEntry>(entries_.rbegin(), entries_.rbegin() + count);
        });
    }

private:
    template <class F>
    auto guarded(F work) -> decltype(work()) {
        const std::lock_guard lock(mutex_);
        if (failure_) {
            return std::unexpected(*failure_);
        }
        return work();
    }

    template <class F>
    auto guarded_write(F work) -> decltype(work()) {
        return guarded([&]() -> decltype(work()) {
            if (write_failure_) {
                return std::unexpected(*write_failure_);
            }
            return work();
        });
    }

    std::mutex mutex_;  // guards everything below
    std::vector<KeyRecord> records_;
    std::vector<AuditEntry> entries_;
    std::uint64_t changes_ = 0;
    std::optional<base::Error> failure_;
    std::optional<base::Error> write_failure_;
};

}  // namespace auth::testing
