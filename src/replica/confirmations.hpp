// How old what the replica says of MLflow's rows is, and which of MLflow's answers come too late to count.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"
#include "registry/entities.hpp"

namespace replica {

// Taken before MLflow is asked: its answer shows the state of this moment or of a later one.
struct Asked {
    base::MonotonicTime at;
    std::uint64_t order = 0;  // among the ends of local writes
};

// Something of a model that is answered as a whole.
struct Part {
    enum class Kind { model, version, alias, everything };
    Kind kind = Kind::model;
    std::int64_t version = 0;  // of Kind::version
    std::string alias{};       // of Kind::alias
};

// Safe from any thread; no I/O. A local write is one that went through this process.
class Confirmations {
public:
    [[nodiscard]] Asked ask(base::MonotonicTime now) const {
        return {now, order_.load()};
    }

    void begin_write(const registry::ModelKey& key);
    void end_write(const registry::ModelKey& key);

    // Whether an answer to what was `asked` can be taken for the model's state: no local write of it was under way
    // then or since. What is asked within a local write, and under the model's lock, is always current.
    [[nodiscard]] bool is_current(const registry::ModelKey& key, const Asked& asked) const;

    // The part was seen in an answer to what was asked. Without effect when that is not current.
    void confirm(const registry::ModelKey& key, const Part& part, const Asked& asked, bool is_within_write = false);

    // The model's aliases changed: what was confirmed of one of them is another answer now.
    void aliases_changed(const registry::ModelKey& key);

    // The model is gone, or is another one of the same name.
    void forget(const registry::ModelKey& key);

    // MLflow may have changed the model at `now` and the replica has not seen how.
    void doubt(const registry::ModelKey& key, base::MonotonicTime now);

    // The replica is known to lack a change of the model, until everything of it is confirmed anew.
    void lose(const registry::ModelKey& key);
    [[nodiscard]] bool is_lost(const registry::ModelKey& key) const;

    [[nodiscard]] bool has_lost_any() const {
        return lost_.load() > 0;
    }

    // Everything in the replica was compared with MLflow from `began` on.
    void swept(base::MonotonicTime began);

    [[nodiscard]] base::MonotonicTime last_sweep() const {
        return swept_.load();
    }

    // MLflow's state as the replica has it was current at this time.
    [[nodiscard]] base::MonotonicTime confirmed_at(const registry::ModelKey& key, const Part& part) const;

    // The same is not older than `oldest`, and in no doubt.
    [[nodiscard]] bool is_fresh(const registry::ModelKey& key, const Part& part, base::MonotonicTime oldest) const;

private:
    struct Entry {
        unsigned writes_under_way = 0;
        std::uint64_t last_write = 0;  // its end, in order_
        base::MonotonicTime everything{};
        base::MonotonicTime model{};
        std::map<std::int64_t, base::MonotonicTime> versions;
        std::map<std::string, base::MonotonicTime, std::less<>> aliases;
        base::MonotonicTime doubted{};
        bool is_lost = false;
    };

    struct Hash {
        std::size_t operator()(const registry::ModelKey& key) const {
            return std::hash<std::string_view>{}(key.name) * 31 + std::hash<std::string_view>{}(key.workspace);
        }
    };

    // On a cache line of its own, since workers look at it for every read.
    struct alignas(64) Shard {
        mutable std::mutex mutex;  // guards all below
        std::unordered_map<registry::ModelKey, Entry, Hash> entries;
        std::uint64_t last_forgotten_write = 0;  // of entries that were dropped
    };

    [[nodiscard]] Shard& shard_of(const registry::ModelKey& key);
    [[nodiscard]] const Shard& shard_of(const registry::ModelKey& key) const;
    static bool is_current(const Shard& shard, const registry::ModelKey& key, const Asked& asked);
    [[nodiscard]] base::MonotonicTime latest(const Entry& entry, const Part& part) const;
    void set_lost(Entry& entry, bool is_lost);

    std::array<Shard, 16> shards_;
    std::atomic<std::uint64_t> order_{0};
    std::atomic<base::MonotonicTime> swept_{base::MonotonicTime::min()};
    std::atomic<std::size_t> lost_{0};
};

}  // namespace replica
