// Who waits, and whose turn is next, so that no caller's crowd keeps another out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

namespace resilience {

// What calls are shared out by: one key, one peer.
using CallerId = std::uint64_t;

// A place in the queue. Never used twice.
using Ticket = std::uint64_t;

// Fair queueing (Nagle, RFC 970; Demers, Keshav and Shenker 1989) over places instead of bytes: the next turn belongs
// to the waiting caller with the fewest calls under way, and among equals to the one whose last turn is longest ago. So
// a caller whose calls take long holds no more than its share either. Each caller's own calls keep their order. When
// the queue is full, the longest part of it gives up its newest call to whoever has fewer waiting.
//
// Pure and not thread-safe. Allocates when calls queue, and for callers not seen lately.
class FairQueue {
public:
    explicit FairQueue(std::size_t capacity) : capacity_(capacity) {}

    struct Turn {
        CallerId caller = 0;
        Ticket ticket = 0;
    };

    struct Queued {
        Ticket ticket = 0;
        std::optional<Ticket> displaced;  // no longer queued
    };

    // Nothing when the queue is full and nobody has more calls waiting than `caller` would have.
    [[nodiscard]] std::optional<Queued> push(CallerId caller);

    [[nodiscard]] std::optional<Turn> pop();

    // False when it does not wait any more.
    bool cancel(const Turn& waiting);

    // Every call under way has been announced by begin(), whether it waited or not.
    void begin(CallerId caller);
    void end(CallerId caller);

    // How many turns come before that of a call which `caller` would queue now, others taking turns with it.
    [[nodiscard]] std::size_t turns_before(CallerId caller) const;

    [[nodiscard]] std::size_t size() const {
        return size_;
    }

    // Callers with calls, and some without.
    [[nodiscard]] std::size_t remembered() const {
        return callers_.size();
    }

private:
    struct Caller {
        CallerId id = 0;
        std::size_t in_flight = 0;
        std::set<Ticket> waiting;
    };

    Caller& find_or_add(CallerId id);

    const std::size_t capacity_;
    std::size_t size_ = 0;
    Ticket next_ticket_ = 1;
    std::unordered_map<CallerId, Caller> callers_;
    std::vector<Caller*> in_turn_;  // those who wait; the one whose last turn is longest ago first
};

}  // namespace resilience
