#include "replica/confirmations.hpp"

#include <algorithm>

namespace replica {

Confirmations::Shard& Confirmations::shard_of(const registry::ModelKey& key) {
    return shards_[Hash{}(key) % shards_.size()];
}

const Confirmations::Shard& Confirmations::shard_of(const registry::ModelKey& key) const {
    return shards_[Hash{}(key) % shards_.size()];
}

void Confirmations::begin_write(const registry::ModelKey& key) {
    Shard& shard = shard_of(key);
    const std::lock_guard guard(shard.mutex);
    ++shard.entries[key].writes_under_way;
}

void Confirmations::end_write(const registry::ModelKey& key) {
    Shard& shard = shard_of(key);
    const std::lock_guard guard(shard.mutex);
    Entry& entry = shard.entries[key];
    --entry.writes_under_way;
    entry.last_write = ++order_;
}

bool Confirmations::is_current(const Shard& shard, const registry::ModelKey& key, const Asked& asked) {
    const auto entry = shard.entries.find(key);
    if (entry == shard.entries.end()) {
        return shard.last_forgotten_write <= asked.order;
    }
    return entry->second.writes_under_way == 0 && entry->second.last_write <= asked.order &&
           shard.last_forgotten_write <= asked.order;
}

bool Confirmations::is_current(const registry::ModelKey& key, const Asked& asked) const {
    const Shard& shard = shard_of(key);
    const std::lock_guard guard(shard.mutex);
    return is_current(shard, key, asked);
}

void Confirmations::confirm(const registry::ModelKey& key, const Part& part, const Asked& asked, bool is_within_write) {
    Shard& shard = shard_of(key);
    const std::lock_guard guard(shard.mutex);
    if (!is_within_write && !is_current(shard, key, asked)) {
        return;
    }
    Entry& entry = shard.entries[key];
    const auto raise = [&](base::MonotonicTime& time) { time = std::max(time, asked.at); };
    switch (part.kind) {
        case Part::Kind::model:
            raise(entry.model);
            break;
        case Part::Kind::version:
            raise(entry.versions[part.version]);
            break;
        case Part::Kind::alias:
            raise(entry.aliases[part.alias]);
            break;
        case Part::Kind::everything:
            raise(entry.everything);
            set_lost(entry, false);
            break;
    }
}

void Confirmations::aliases_changed(const registry::ModelKey& key) {
    Shard& shard = shard_of(key);
    const std::lock_guard guard(shard.mutex);
    const auto entry = shard.entries.find(key);
    if (entry != shard.entries.end()) {
        entry->second.aliases.clear();
    }
}

void Confirmations::forget(const registry::ModelKey& key) {
    Shard& shard = shard_of(key);
    const std::lock_guard guard(shard.mutex);
    const auto entry = shard.entries.find(key);
    if (entry != shard.entries.end()) {
        set_lost(entry->second, false);
        Entry fresh;
        fresh.writes_under_way = entry->second.writes_under_way;
        fresh.last_write = entry->second.last_write;
        entry->second = std::move(fresh);
    }
}

void Confirmations::doubt(const registry::ModelKey& key, base::MonotonicTime now) {
    Shard& shard = shard_of(key);
    const std::lock_guard guard(shard.mutex);
    Entry& entry = shard.entries[key];
    entry.doubted = std::max(entry.doubted, now);
}

void Confirmations::lose(const registry::ModelKey& key) {
    Shard& shard = shard_of(key);
    const std::lock_guard guard(shard.mutex);
    set_lost(shard.entries[key], true);
}

void Confirmations::set_lost(Entry& entry, bool is_lost) {
    if (entry.is_lost != is_lost) {
        entry.is_lost = is_lost;
        is_lost ? ++lost_ : --lost_;
    }
}

bool Confirmations::is_lost(const registry::ModelKey& key) const {
    const Shard& shard = shard_of(key);
    const std::lock_guard guard(shard.mutex);
    const auto entry = shard.entries.find(key);
    return entry != shard.entries.end() && entry->second.is_lost;
}

void Confirmations::swept(base::MonotonicTime began) {
    swept_.store(began);
    const auto is_old = [began](const auto& item) { return item.second <= began; };
    for (Shard& shard : shards_) {
        const std::lock_guard guard(shard.mutex);
        for (auto item = shard.entries.begin(); item != shard.entries.end();) {
            Entry& entry = item->second;
            std::erase_if(entry.versions, is_old);
            std::erase_if(entry.aliases, is_old);
            const bool says_nothing = entry.writes_under_way == 0 && !entry.is_lost && entry.versions.empty() &&
                                      entry.aliases.empty() && entry.model <= began && entry.everything <= began &&
                                      entry.doubted < began;
            if (says_nothing) {
                shard.last_forgotten_write = std::max(shard.last_forgotten_write, entry.last_write);
            }
            item = says_nothing ? shard.entries.erase(item) : std::next(item);
        }
    }
}

base::MonotonicTime Confirmations::latest(const Entry& entry, const Part& part) const {
    base::MonotonicTime time = std::max(entry.everything, swept_.load());
    if (part.kind == Part::Kind::model) {
        time = std::max(time, entry.model);
    } else if (part.kind == Part::Kind::version) {
        const auto version = entry.versions.find(part.version);
        time = version == entry.versions.end() ? time : std::max(time, version->second);
    } else if (part.kind == Part::Kind::alias) {
        const auto alias = entry.aliases.find(part.alias);
        time = alias == entry.aliases.end() ? time : std::max(time, alias->second);
    }
    return time;
}

base::MonotonicTime Confirmations::confirmed_at(const registry::ModelKey& key, const Part& part) const {
    const Shard& shard = shard_of(key);
    const std::lock_guard guard(shard.mutex);
    const auto entry = shard.entries.find(key);
    return entry == shard.entries.end() ? swept_.load() : latest(entry->second, part);
}

bool Confirmations::is_fresh(const registry::ModelKey& key, const Part& part, base::MonotonicTime oldest) const {
    const Shard& shard = shard_of(key);
    const std::lock_guard guard(shard.mutex);
    const auto entry = shard.entries.find(key);
    if (entry == shard.entries.end()) {
        return swept_.load() >= oldest;
    }
    const base::MonotonicTime confirmed = latest(entry->second, part);
    return !entry->second.is_lost && confirmed >= oldest && confirmed > entry->second.doubted;
}

}  // namespace replica
