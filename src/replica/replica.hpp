// A copy of MLflow's registry that answers when MLflow does not.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"
#include "http/message.hpp"
#include "net/blocking_pool.hpp"
#include "net/worker.hpp"
#include "registry/alias_history.hpp"
#include "registry/registry.hpp"
#include "registry/store.hpp"
#include "replica/call_target.hpp"
#include "replica/confirmations.hpp"
#include "replica/merge.hpp"
#include "replica/model_locks.hpp"
#include "replica/model_view.hpp"
#include "replica/replica_status.hpp"

namespace replica {

// What became of views of models.
struct MergeOutcome {
    std::int64_t changes = 0;
    std::int64_t erased = 0;
    std::vector<registry::ModelKey> torn;       // to be read as a whole
    std::vector<registry::ModelKey> discarded;  // a local write came between
    std::vector<std::pair<registry::ModelKey, VersionWithoutUri>> without_uri;
};

struct DownloadUri {
    registry::ModelKey key;
    std::int64_t version = 0;
    std::string uri;
    Asked asked;
};

// Shared by all workers, safe from any thread. The store, the pool and the clock outlive it; it outlives the jobs of
// the pool.
class Replica {
public:
    static constexpr base::Duration kStoreLimit = std::chrono::seconds(10);  // for one transaction

    Replica(registry::Store& store, net::BlockingPool& pool, const base::Clock& clock)
        : store_(store), pool_(pool), clock_(clock), registry_(store, clock) {}

    // Blocks; before anything else. Rows of another `upstream` than this one are dropped.
    base::Result<void> open(const std::string& upstream);

    // Taken before MLflow is asked.
    [[nodiscard]] Asked ask() const {
        return confirmations.ask(clock_.now());
    }

    // Brings the rows to what was seen, in one transaction, and confirms what they say. Views that a local write has
    // overtaken are left out, unless they are of the write itself. `position` is where a first filling goes on.
    struct Merge {
        std::vector<ModelView> views;
        bool is_within_write = false;
        std::optional<registry::Act> act{};  // what that write is
        Filling filling = Filling::whole;
        std::optional<Position> position{};
    };

    base::Task<base::Result<MergeOutcome>> merge(net::Worker& worker, Merge merge);

    // Of versions that had none; those of models that were written to meanwhile are left out.
    base::Task<base::Result<void>> put_download_uris(net::Worker& worker, std::vector<DownloadUri> uris);

    // MLflow carried out `call` and answered `body`, and nothing more could be read of it: applies it by the registry's
    // own rules, with the numbers of that answer.
    base::Task<base::Result<void>> apply_unread(net::Worker& worker, registry::Call call, std::string body);

    // The answer of the rows to a read, with the fields that say where it comes from; nothing where they cannot tell.
    base::Task<std::optional<http::Response>> answer(net::Worker& worker, registry::Call call, CallTarget target);

    // The fields of such an answer.
    void describe_source(http::Response& response, base::MonotonicTime confirmed_at, std::int64_t revision) const;

    // Models to be read again before others, over a restart.
    base::Task<> mark(net::Worker& worker, registry::ModelKey key, MarkReason reason);
    base::Task<> unmark(net::Worker& worker, registry::ModelKey key);
    [[nodiscard]] std::vector<Mark> marked() const;
    [[nodiscard]] bool is_marked(const registry::ModelKey& key) const;

    // Whether a model may have changed without the replica having seen how.
    [[nodiscard]] bool has_unsettled() const {
        const std::lock_guard guard(mutex_);
        return !marked_.empty();
    }

    // Everything was compared with MLflow; `began` on the monotonic clock.
    base::Task<base::Result<void>> record_sweep(net::Worker& worker, base::MonotonicTime began, SweepRecord sweep);

    [[nodiscard]] bool knows_workspace(const std::string& name) const;

    // Runs `work` in a transaction of the store, apart from the worker. It may have to go on alone, so it owns what it
    // uses.
    template <class Work>
    auto read(net::Worker& worker, Work work) {
        return pool_.run(worker, kStoreLimit, [this, work = std::move(work)] {
            std::invoke_result_t<const Work&, registry::Reader&> result = base::fail(base::Code::internal, "not read");
            const base::Result<void> done = store_.read([&](registry::Reader& reader) -> base::Result<void> {
                result = work(reader);
                return result ? base::Result<void>() : std::unexpected(result.error());
            });
            return done ? std::move(result) : decltype(result)(std::unexpected(done.error()));
        });
    }

    // For rows that MLflow has not got yet: changes them by something else than what MLflow showed. `work` answers how
    // many rows it changed, and owns what it uses, since it may have to go on alone.
    using Change = std::function<base::Result<std::int64_t>(registry::Writer&)>;
    base::Task<base::Result<void>> write(net::Worker& worker, Change work, base::Duration limit = kStoreLimit);

    // The same, blocking, before anybody else asks.
    base::Result<void> write_now(const Change& work);

    // The versions of the models of these names, in any order.
    base::Task<base::Result<std::vector<std::int64_t>>> version_numbers(net::Worker& worker,
                                                                        std::vector<registry::ModelKey> keys);

    struct ModelRows {
        registry::ModelKey key;
        std::vector<std::int64_t> versions;
    };

    // Models after `after` with their versions, at most a few hundred.
    base::Task<base::Result<std::vector<ModelRows>>> list_rows(net::Worker& worker,
                                                               std::optional<registry::ModelKey> after);

    // As last read or written.
    [[nodiscard]] ReplicaStatus status() const;

    [[nodiscard]] bool is_complete() const {
        return is_complete_.load();
    }

    [[nodiscard]] std::int64_t revision() const {
        return revision_.load();
    }

    [[nodiscard]] const base::Clock& clock() const {
        return clock_;
    }

    ModelLocks locks;
    Confirmations confirmations;

private:
    static constexpr std::size_t kMaxMarked = 1000;

    base::Result<MergeOutcome> merge_rows(registry::Writer& writer, const Merge& merge);
    base::Result<void> merge_view(registry::Writer& writer, const Merge& merge, ModelView view, MergeOutcome& outcome);
    [[nodiscard]] ModelView without_what_is_known_better(ModelView view) const;
    void confirm(const ModelView& view, bool is_within_write);
    void note_reading(const base::Result<void>& outcome);
    base::Result<void> note_status(registry::Reader& reader);
    base::Task<> store_marks(net::Worker& worker);
    [[nodiscard]] base::MonotonicTime monotonic(registry::Timestamp time) const;

    registry::Store& store_;
    net::BlockingPool& pool_;
    const base::Clock& clock_;
    const registry::Registry registry_;
    std::atomic<bool> is_complete_{false};
    std::atomic<bool> is_failing_{false};  // the store, when read; for the log
    std::atomic<std::int64_t> revision_{0};
    std::atomic<base::MonotonicTime> filling_began_{
        base::MonotonicTime::min()};  // of what was read before completeness
    mutable std::mutex mutex_;        // guards all below
    std::map<registry::ModelKey, MarkReason> marked_;
    ReplicaStatus status_;
};

}  // namespace replica
