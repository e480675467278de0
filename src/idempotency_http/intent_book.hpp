// What all workers share of the calls that must not be carried out twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"
#include "idempotency/intent_journal.hpp"
#include "idempotency/rules.hpp"
#include "net/blocking_pool.hpp"
#include "net/worker.hpp"
#include "replica/model_locks.hpp"
#include "telemetry/metrics.hpp"

namespace idempotency {

struct ResendMetrics {
    explicit ResendMetrics(telemetry::Metrics& metrics);

    telemetry::Counter& replayed;         // the answer on record was given
    telemetry::Counter& found;            // a create whose answer was lost had been carried out
    telemetry::Counter& not_carried_out;  // it had not
    telemetry::Counter& refused;          // nobody can tell yet
    telemetry::Counter& key_in_use;
    telemetry::Counter& key_reused;
    telemetry::Counter& unrecorded;  // refused: the journal did not take the intent
};

// Safe from any thread. What it refers to outlives it; workers outlive the pool.
class IntentBook {
public:
    IntentBook(IntentJournal& journal, net::BlockingPool& pool, const base::Clock& clock, telemetry::Metrics& metrics);

    // What is unsettled on record becomes open. Blocks; before anything else.
    base::Result<void> load();

    // As IntentJournal::begin(), with all changes so far.
    base::Task<base::Result<Begun>> begin(net::Worker& worker, Intent intent, bool may_record);

    // What becomes of an intent. Holds at once for begin(), on the disk after the next one or write().
    void settle(std::int64_t id, Answer answer, base::Duration lifetime);
    void forget(std::int64_t id);

    // Its call is over and got no answer, after `waited`. Without a baseline its outcome is settled as never known.
    void leave_open(Record record, base::Duration waited);

    // Whether a create that was looked for and not found is believed not to be carried out; then it is forgotten.
    bool note_absent(const Record& record, base::MonotonicTime began, base::MonotonicTime ended);

    [[nodiscard]] std::vector<Record> list_open() const;
    [[nodiscard]] bool is_open(std::int64_t id) const;

    // Those open for `age` that were not taken before. Ends what has been open for as long as the journal keeps it.
    std::vector<Record> take_overdue(base::Duration age);

    // Makes changes durable; forgets what has expired.
    base::Task<base::Result<void>> write(net::Worker& worker);

    // The same, blocking, at the end.
    void write_last();

    // Of the model before the next create, as far as is known.
    [[nodiscard]] std::optional<Baseline> baseline(const registry::ModelKey& model) const;
    void note_baseline(const registry::ModelKey& model, std::optional<Baseline> baseline);

    // Keys in use, each by the call of that request. What the other call asks for when there is one.
    std::optional<Digest> take_key(const Digest& identity, const Digest& request);
    void give_key_back(const Digest& identity);

    replica::ModelLocks locks;  // of creates; taken before any other lock of a model
    ResendMetrics metrics;

private:
    // An intent whose call has ended without an answer.
    struct Entry {
        Record record;
        base::MonotonicTime since;
        Absence absence;
        bool was_reported = false;
    };

    struct Batch {
        std::deque<Change> changes;
        std::uint64_t end;  // how many changes there have ever been, with these
    };

    // The wall clock may jump; what is kept for seconds must not.
    [[nodiscard]] base::WallTime journal_time() const;
    [[nodiscard]] Batch batch() const;
    void drop(std::uint64_t end);

    IntentJournal& journal_;
    net::BlockingPool& pool_;
    const base::Clock& clock_;
    const base::WallTime started_at_;
    const base::MonotonicTime started_;

    mutable std::mutex mutex_;    // guards all below
    std::deque<Change> changes_;  // not written yet
    std::uint64_t dropped_ = 0;   // changes written
    std::map<std::int64_t, Entry> open_;
    std::map<registry::ModelKey, Baseline> baselines_;
    std::map<Digest, Digest> keys_in_use_;
};

}  // namespace idempotency
