// Where the journal's entries are kept: a port, so that nothing here depends on a database.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "journal/entry.hpp"

namespace journal {

// Of the entries of one lane that are still to be delivered.
struct LaneSummary {
    std::string lane;
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;  // as cost_of() counts
};

// Safe from any thread; calls take turns and block.
class JournalStore {
public:
    virtual ~JournalStore() = default;

    // All of it is durable when this returns; nothing of it remains when it fails. An entry that is rejected is kept
    // apart; the oldest rejected ones go once those take more than `max_rejected_bytes`. Answers how many went.
    virtual base::Result<std::uint64_t> commit(const Batch& batch, std::uint64_t max_rejected_bytes) = 0;

    virtual base::Result<std::vector<LaneSummary>> lanes() = 0;

    // When the first of all entries was accepted.
    virtual base::Result<std::optional<base::WallTime>> oldest() = 0;

    // The highest sequence there is, of entries and of rejected ones; 0: none.
    virtual base::Result<std::int64_t> last_sequence() = 0;

    // The first entries of a lane, in order: at least one if there is one, then no more than either bound allows.
    virtual base::Result<std::vector<Entry>> head(std::string_view lane,
                                                  std::size_t max_entries,
                                                  std::uint64_t max_bytes) = 0;

    // The newest `limit`, in order.
    virtual base::Result<std::vector<RejectedEntry>> rejected(std::size_t limit) = 0;
    virtual base::Result<std::uint64_t> count_rejected() = 0;

    // All lanes that are held, by name.
    virtual base::Result<std::vector<Hold>> holds() = 0;

    // Whether the lane is held. Also beside a running service, which carries the decision out.
    virtual base::Result<bool> decide(std::string_view lane, Decision decision) = 0;

    // The newest `limit`, in order. The last 10,000 are kept.
    virtual base::Result<std::vector<Renumbering>> renumberings(std::size_t limit) = 0;

    // The `limit` seen last, the last one first.
    virtual base::Result<std::vector<KnownLane>> known_lanes(std::size_t limit) = 0;

    // Adds or replaces these, and forgets all but the `limit` seen last.
    virtual base::Result<void> put_known_lanes(std::span<const KnownLane> lanes, std::size_t limit) = 0;
};

}  // namespace journal
