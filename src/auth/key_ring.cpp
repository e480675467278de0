#include "auth/key_ring.hpp"

#include <cstring>
#include <string>

#include "auth/api_key.hpp"

namespace auth {

namespace {

std::int64_t to_epoch_second(base::WallTime time) {
    return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

// Whether two records answer authenticate() alike, so that one entry serves both.
bool is_same_key(const KeyRecord& left, const KeyRecord& right) {
    return left.id == right.id && left.name == right.name && left.hash == right.hash && left.scopes == right.scopes &&
           left.expires_at == right.expires_at && left.revoked_at == right.revoked_at;
}

}  // namespace

Principal anonymous_principal() {
    return {"anonymous", "anonymous", {Scope::admin}};
}

std::size_t KeyRing::HashOfHash::operator()(const KeyHash& hash) const noexcept {
    std::size_t first_bytes = 0;  // of an HMAC, hence as good as any hash
    std::memcpy(&first_bytes, hash.data(), sizeof first_bytes);
    return first_bytes;
}

void KeyRing::publish(const std::vector<KeyRecord>& records) {
    auto next = std::make_shared<Table>();
    next->reserve(records.size());

    const std::lock_guard lock(mutex_);
    for (const KeyRecord& record : records) {
        const auto known = table_->find(record.hash);
        if (known != table_->end() && is_same_key(known->second->record, record)) {
            next->emplace(record.hash, known->second);
            continue;
        }
        entries_.push_back(std::make_unique<const Entry>(record));
        next->emplace(record.hash, entries_.back().get());
    }
    table_ = std::move(next);
    version_.fetch_add(1, std::memory_order_release);
}

std::vector<KeyUse> KeyRing::take_last_used() {
    std::vector<KeyUse> uses;
    const std::lock_guard lock(mutex_);
    for (const auto& entry : entries_) {
        const std::int64_t second = entry->last_used_second.exchange(0, std::memory_order_relaxed);
        if (second != 0) {
            uses.push_back({entry->record.id, base::WallTime(std::chrono::seconds(second))});
        }
    }
    return uses;
}

std::shared_ptr<const KeyRing::Table> KeyRing::table() const {
    const std::lock_guard lock(mutex_);
    return table_;
}

KeyReader::KeyReader(const KeyRing& ring, const Pepper& pepper) : ring_(ring), hasher_(pepper), table_(ring.table()) {}

base::Result<Principal> KeyReader::authenticate(std::string_view presented, base::WallTime now) {
    if (presented.empty()) {
        return base::fail(base::Code::unauthenticated, std::string(kKeyRequired));
    }
    // The version is read before the table: a table newer than its number is only fetched once more.
    if (const std::uint64_t version = ring_.version(); version != version_) {
        table_ = ring_.table();
        version_ = version;
    }
    if (version_ == 0) {
        return base::fail(base::Code::unavailable, "API keys can't be checked yet: the key store has not been read");
    }
    if (!looks_like_key(presented)) {
        return base::fail(base::Code::unauthenticated, std::string(kKeyInvalid));
    }

    const auto found = table_->find(hasher_.hash(presented));
    if (found == table_->end() || !is_active(found->second->record, now)) {
        return base::fail(base::Code::unauthenticated, std::string(kKeyInvalid));
    }

    const KeyRing::Entry& entry = *found->second;
    // Written once a second at most: workers sharing a key mostly read its cache line.
    if (const std::int64_t second = to_epoch_second(now);
        entry.last_used_second.load(std::memory_order_relaxed) != second) {
        entry.last_used_second.store(second, std::memory_order_relaxed);
    }
    return Principal{entry.record.id, entry.record.name, entry.record.scopes};
}

}  // namespace auth
