#include "resilience/concurrency_limit.hpp"

#include <algorithm>

namespace resilience {

namespace {

// Turns after which the pace of the queue is believed, and over about how many it is averaged.
constexpr std::size_t kFewestTurns = 8;
constexpr std::size_t kAveragedTurns = 32;

}  // namespace

void CallsUnderWay::advance(base::MonotonicTime now) {
    const std::int64_t target = now.time_since_epoch() / kSlot;
    newest_ = std::max(newest_, target - kSlots);
    while (newest_ < target) {
        std::size_t& oldest = begun_[static_cast<std::size_t>(++newest_ % kSlots)];
        young_ -= oldest;
        old_ += oldest;
        oldest = 0;
    }
}

std::int64_t CallsUnderWay::begin() {
    ++begun_[static_cast<std::size_t>(newest_ % kSlots)];
    ++young_;
    return newest_;
}

void CallsUnderWay::end(std::int64_t slot) {
    if (newest_ - slot < kSlots) {
        --begun_[static_cast<std::size_t>(slot % kSlots)];
        --young_;
    } else {
        --old_;
    }
}

void QueuePace::begin(base::MonotonicTime now) {
    last_turn_ = now;
    turns_ = 0;
    mean_seconds_ = 0;
}

void QueuePace::count_turn(base::MonotonicTime now) {
    ++turns_;
    const double seconds = std::chrono::duration<double>(now - last_turn_).count();
    mean_seconds_ += (seconds - mean_seconds_) / static_cast<double>(std::min(turns_, kAveragedTurns));
    last_turn_ = now;
}

base::Duration QueuePace::expect(std::size_t turns, base::MonotonicTime now) const {
    if (turns == 0 || turns_ < kFewestTurns) {
        return {};
    }
    // A pause so far is the best guess of the pause to come.
    return std::chrono::duration_cast<base::Duration>(
               std::chrono::duration<double>(mean_seconds_ * static_cast<double>(turns))) +
           (now - last_turn_);
}

ConcurrencyLimit::ConcurrencyLimit(const ConcurrencySettings& settings)
    : upper_(settings.upper),
      adaptive_(std::min(settings.lower, settings.upper), settings.upper),
      queue_(settings.queue_capacity) {}

std::optional<Admission> ConcurrencyLimit::try_enter(CallerId caller, base::MonotonicTime now) {
    return queue_.size() == 0 && has_place(now) ? std::optional(admit(caller)) : std::nullopt;
}

Entry ConcurrencyLimit::enter(CallerId caller, base::Duration patience, base::MonotonicTime now) {
    if (const std::optional<Admission> admission = try_enter(caller, now)) {
        return {.kind = Entry::Kind::admitted, .admission = *admission};
    }
    if (queue_.size() == 0) {
        pace_.begin(now);
    }
    if (pace_.expect(queue_.turns_before(caller) + 1, now) > std::max(patience, base::Duration::zero())) {
        return {.kind = Entry::Kind::hopeless};
    }
    const std::optional<FairQueue::Queued> queued = queue_.push(caller);
    if (!queued) {
        return {.kind = Entry::Kind::queue_full};
    }
    return {.kind = Entry::Kind::queued, .ticket = queued->ticket, .displaced = queued->displaced};
}

void ConcurrencyLimit::leave(const Admission& admission,
                             const std::optional<CallResult>& result,
                             base::MonotonicTime now) {
    under_way_.advance(now);
    if (result) {
        adaptive_.record({.traffic_class = result->traffic_class,
                          .round_trip = result->round_trip,
                          .in_flight = std::max(admission.in_flight, under_way_.young()),
                          .was_dropped = result->was_dropped},
                         now);
    }
    under_way_.end(admission.slot);
    queue_.end(admission.caller);
}

std::optional<ConcurrencyLimit::Turn> ConcurrencyLimit::next_turn(base::MonotonicTime now) {
    if (queue_.size() == 0 || !has_place(now)) {
        return std::nullopt;
    }
    const std::optional<FairQueue::Turn> turn = queue_.pop();
    pace_.count_turn(now);
    return Turn{turn->ticket, admit(turn->caller)};
}

bool ConcurrencyLimit::cancel(CallerId caller, Ticket ticket) {
    return queue_.cancel({caller, ticket});
}

bool ConcurrencyLimit::has_place(base::MonotonicTime now) {
    under_way_.advance(now);
    return under_way_.young() < adaptive_.limit(now) && under_way_.all() < upper_;
}

Admission ConcurrencyLimit::admit(CallerId caller) {
    queue_.begin(caller);
    const std::int64_t slot = under_way_.begin();
    return {caller, slot, under_way_.young()};
}

}  // namespace resilience
