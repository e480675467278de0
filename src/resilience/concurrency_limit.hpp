// How many calls may be under way towards one peer, and who waits for a place.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "resilience/adaptive_limit.hpp"
#include "resilience/fair_queue.hpp"

namespace resilience {

struct ConcurrencySettings {
    std::size_t lower = 4;  // not below 1; as large as `upper` or larger: the limit is fixed
    std::size_t upper = 32;
    std::size_t queue_capacity = 256;
};

// The right to one call.
struct Admission {
    CallerId caller = 0;
    std::int64_t slot = 0;      // of CallsUnderWay
    std::size_t in_flight = 0;  // itself included
};

// What a call that has ended says about the peer.
struct CallResult {
    std::size_t traffic_class = 0;
    base::Duration round_trip{};
    bool was_dropped = false;
};

struct Entry {
    enum class Kind { admitted, queued, queue_full, hopeless };
    Kind kind = Kind::queue_full;
    Admission admission{};              // when admitted
    Ticket ticket = 0;                  // when queued
    std::optional<Ticket> displaced{};  // then, perhaps: the owner of this one is refused instead
};

// Calls under way, apart by whether they began in the last second.
class CallsUnderWay {
public:
    void advance(base::MonotonicTime now);

    // The slot in time it began in, which end() wants back.
    [[nodiscard]] std::int64_t begin();
    void end(std::int64_t slot);

    [[nodiscard]] std::size_t young() const {
        return young_;
    }

    [[nodiscard]] std::size_t all() const {
        return young_ + old_;
    }

private:
    static constexpr std::int64_t kSlots = 8;
    static constexpr base::Duration kSlot = std::chrono::milliseconds(125);

    std::array<std::size_t, kSlots> begun_{};  // those under way, by slot
    std::int64_t newest_ = 0;
    std::size_t young_ = 0;
    std::size_t old_ = 0;
};

// How fast the queue moves while there is one.
class QueuePace {
public:
    void begin(base::MonotonicTime now);  // the queue was empty
    void count_turn(base::MonotonicTime now);

    // Until `turns` turns have passed; zero while that can't be told.
    [[nodiscard]] base::Duration expect(std::size_t turns, base::MonotonicTime now) const;

private:
    base::MonotonicTime last_turn_;
    double mean_seconds_ = 0;
    std::size_t turns_ = 0;
};

// Decides only; waiting and waking are the owner's. Calls that began within the last second are held to the adaptive
// limit; older ones (searches of many seconds wait for a database, not for a processor) only count towards the upper
// bound, so a few of them do not keep quick calls out. Nobody overtakes the queue, nobody waits beside a free place
// once next_turn() was called till it has no more, and a call is refused at once when its turn would come too late.
//
// Not thread-safe: use it under the owner's mutex. Without a queue, entering and leaving allocate nothing, but for
// callers not seen lately. Each admission must leave() exactly once.
class ConcurrencyLimit {
public:
    explicit ConcurrencyLimit(const ConcurrencySettings& settings);

    // Only where nobody waits and a place is free.
    [[nodiscard]] std::optional<Admission> try_enter(CallerId caller, base::MonotonicTime now);

    [[nodiscard]] Entry enter(CallerId caller, base::Duration patience, base::MonotonicTime now);

    // A call is over. Then call next_turn() until it has no more.
    void leave(const Admission& admission, const std::optional<CallResult>& result, base::MonotonicTime now);

    struct Turn {
        Ticket ticket = 0;
        Admission admission;
    };

    // Gives a free place to whose turn it is. Places also come free with time: call it now and then while calls wait.
    [[nodiscard]] std::optional<Turn> next_turn(base::MonotonicTime now);

    // The owner of `ticket` no longer waits. False when it has got its place meanwhile, which it must then leave, or
    // has been displaced.
    bool cancel(CallerId caller, Ticket ticket);

    // How long those who wait now will have to wait, as far as can be told.
    [[nodiscard]] base::Duration time_to_drain(base::MonotonicTime now) const {
        return pace_.expect(queue_.size(), now);
    }

    [[nodiscard]] std::size_t limit(base::MonotonicTime now) const {
        return adaptive_.limit(now);
    }

    [[nodiscard]] std::size_t in_flight() const {
        return under_way_.all();
    }

    [[nodiscard]] std::size_t queued() const {
        return queue_.size();
    }

private:
    [[nodiscard]] bool has_place(base::MonotonicTime now);
    [[nodiscard]] Admission admit(CallerId caller);

    const std::size_t upper_;
    AdaptiveLimit adaptive_;
    CallsUnderWay under_way_;
    FairQueue queue_;
    QueuePace pace_;
};

}  // namespace resilience
