// How many calls may be under way towards one peer, and who waits for a place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace resilience {

// A place in the queue. Never used twice.
using Ticket = std::uint64_t;

struct Entry {
    enum class Kind { admitted, queued, refused };
    Kind kind = Kind::refused;
    Ticket ticket = 0;  // when queued
};

// Decides only; waiting and waking are the owner's. First come, first served: nobody overtakes the queue, and a place
// given back goes straight to whoever has waited longest. Not thread-safe: use it under the owner's mutex. Allocates
// only when calls queue.
//
// Each call that got its place, at once or by being woken, must release() it exactly once.
class ConcurrencyLimit {
public:
    // `limit` is at least 1; a `queue_capacity` of 0 refuses at once.
    ConcurrencyLimit(std::size_t limit, std::size_t queue_capacity);

    [[nodiscard]] Entry try_acquire();

    // A call is over. The ticket, if any, now holds a place: wake its owner.
    [[nodiscard]] std::optional<Ticket> release();

    // The owner of `ticket` no longer waits. False when it has got its place meanwhile, which it must then release.
    [[nodiscard]] bool cancel(Ticket ticket);

    // Calls under way are never cut off by a lower limit. After raising it, call wake_next() until it has nobody left.
    void set_limit(std::size_t limit);

    // Gives a free place to the next in the queue.
    [[nodiscard]] std::optional<Ticket> wake_next();

    [[nodiscard]] std::size_t limit() const {
        return limit_;
    }

    [[nodiscard]] std::size_t in_flight() const {
        return in_flight_;
    }

    [[nodiscard]] std::size_t queued() const {
        return queue_.size();
    }

    [[nodiscard]] std::uint64_t refused_total() const {
        return refused_total_;
    }

private:
    std::size_t limit_;
    const std::size_t queue_capacity_;
    std::size_t in_flight_ = 0;
    Ticket next_ticket_ = 1;
    std::uint64_t refused_total_ = 0;
    std::deque<Ticket> queue_;  // ascending
};

}  // namespace resilience
