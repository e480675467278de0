// Calls accepted in MLflow's place: durable before their client is told, in order within a lane, within bounds.
//
//   base::Result<void> accepted = co_await journal.accept(worker, entry);  // then 200
//   ...
//   journal.next_lane() -> journal.head() -> MLflow -> journal.settle()
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"
#include "journal/entry.hpp"
#include "journal/journal_store.hpp"
#include "net/blocking_pool.hpp"
#include "net/worker.hpp"
#include "telemetry/metrics.hpp"

namespace journal {

struct JournalSettings {
    std::uint64_t max_bytes = std::uint64_t{1} << 30U;  // of what waits; rejected entries may take an eighth of it more
    std::uint64_t max_entries = 1'000'000;
};

// What MLflow has answered for, of one lane, or somebody has decided.
struct Settlement {
    std::string lane;
    std::vector<std::int64_t> delivered{};
    std::vector<Rejection> rejected{};
    std::uint64_t bytes = 0;  // of both, and of `rewritten` as they were, as cost_of() counts
    std::vector<Entry> rewritten{};
    std::optional<Hold> hold{};
    bool is_released = false;  // no longer held
    std::vector<Renumbering> renumbered{};
};

// Safe from any worker. The store and the pool outlive it; the pool has one thread, so that entries which wait for the
// disk together are written together.
class Journal {
public:
    struct Figures {
        std::uint64_t entries = 0;  // that wait for MLflow
        std::uint64_t bytes = 0;
        std::uint64_t lanes = 0;
        std::optional<base::WallTime> oldest;  // as of the last refresh()
    };

    struct Deps {
        JournalStore& store;
        net::BlockingPool& pool;
        const base::Clock& clock;
        telemetry::Metrics& metrics;
    };

    Journal(Deps deps, JournalSettings settings);
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    // What an earlier process left. Blocks; to be called first.
    base::Result<void> load();

    // Durable when this gives a value. exhausted: it is full. Any other error: the disk failed or did not answer, and
    // the entry may have been taken after all.
    base::Task<base::Result<void>> accept(net::Worker& worker, Entry entry);

    // When it fails, the entries come again.
    base::Task<base::Result<void>> settle(net::Worker& worker, Settlement settlement);

    // How many entries a call of this lane has before it.
    [[nodiscard]] std::uint64_t waiting(std::string_view lane) const;

    // The first lane after `after`, in a circle, that has entries and is ready. `is_ready` must not use the journal.
    [[nodiscard]] std::optional<std::string> next_lane(std::string_view after,
                                                       const std::function<bool(const std::string&)>& is_ready) const;

    // The first entries of a lane, as JournalStore::head() gives them.
    base::Task<base::Result<std::vector<Entry>>> head(net::Worker& worker,
                                                      std::string lane,
                                                      std::size_t max_entries,
                                                      std::uint64_t max_bytes);

    // Lanes whose names begin so and that have entries.
    [[nodiscard]] std::vector<std::string> lanes(std::string_view prefix) const;

    [[nodiscard]] bool has_lanes(std::string_view prefix) const;

    // Those that are held, with what was decided by now.
    base::Task<base::Result<std::vector<Hold>>> holds(net::Worker& worker);

    // Learns how old the oldest entry is.
    base::Task<> refresh(net::Worker& worker);

    [[nodiscard]] Figures figures() const;

private:
    struct Lane {
        std::uint64_t entries = 0;        // durable
        std::uint64_t being_written = 0;  // not yet
    };

    // One caller's change, on its way to the disk.
    struct Ticket {
        std::string lane;
        std::uint64_t bytes = 0;
        Batch batch;
        std::optional<base::Result<void>> outcome;
    };

    using Tickets = std::vector<std::shared_ptr<Ticket>>;

    base::Result<void> enqueue(const std::shared_ptr<Ticket>& ticket);
    base::Task<base::Result<void>> commit(net::Worker& worker, std::shared_ptr<Ticket> ticket);
    base::Result<void> write(Ticket& ticket);
    Tickets take_waiting();
    base::Result<void> store_together(const Tickets& tickets);
    void finish(Ticket& ticket, base::Result<void> outcome);
    void note_accepted(const Ticket& ticket, bool is_durable);
    void note_settled(const Ticket& ticket);

    Deps deps_;
    const JournalSettings settings_;
    telemetry::Counter& accepted_;
    telemetry::Counter& delivered_;
    telemetry::Counter& rejected_;
    telemetry::Counter& refused_full_;
    telemetry::Counter& refused_disk_;

    mutable std::mutex mutex_;  // guards what follows
    std::map<std::string, Lane, std::less<>> lanes_;
    std::uint64_t entries_ = 0;  // with those being written
    std::uint64_t bytes_ = 0;
    std::int64_t last_sequence_ = 0;
    std::deque<std::shared_ptr<Ticket>> waiting_;
    std::optional<base::WallTime> oldest_;
    base::MonotonicTime began_;  // to accept, when it was empty before
    std::uint64_t settled_ = 0;  // since then
};

// Figures for Prometheus.
void export_journal(telemetry::Metrics& metrics, const Journal& journal, const base::Clock& clock);

}  // namespace journal
