#include "resilience/fair_queue.hpp"

#include <algorithm>
#include <iterator>

#include "base/ensure.hpp"

namespace resilience {

namespace {

// Callers without a call are kept up to this many, so that the next call of each allocates nothing.
constexpr std::size_t kRememberedCallers = 1024;

}  // namespace

std::optional<FairQueue::Queued> FairQueue::push(CallerId id) {
    Caller& caller = find_or_add(id);
    std::optional<Ticket> displaced;
    if (size_ >= capacity_) {
        const auto waiting = [](const Caller* one) { return one->waiting.size(); };
        const auto longest = std::ranges::max_element(in_turn_, {}, waiting);
        if (longest == in_turn_.end() || waiting(*longest) <= caller.waiting.size() + 1) {
            return std::nullopt;
        }
        displaced = *(*longest)->waiting.rbegin();
        cancel({(*longest)->id, *displaced});
    }
    if (caller.waiting.empty()) {
        in_turn_.push_back(&caller);
    }
    caller.waiting.insert(caller.waiting.end(), next_ticket_);
    ++size_;
    return Queued{next_ticket_++, displaced};
}

std::optional<FairQueue::Turn> FairQueue::pop() {
    const auto next = std::ranges::min_element(in_turn_, {}, &Caller::in_flight);
    if (next == in_turn_.end()) {
        return std::nullopt;
    }
    Caller& caller = **next;
    const Turn turn{caller.id, *caller.waiting.begin()};
    caller.waiting.erase(caller.waiting.begin());
    --size_;
    std::rotate(next, std::next(next), in_turn_.end());
    if (caller.waiting.empty()) {
        in_turn_.pop_back();
    }
    return turn;
}

bool FairQueue::cancel(const Turn& waiting) {
    const auto found = callers_.find(waiting.caller);
    if (found == callers_.end() || found->second.waiting.erase(waiting.ticket) == 0) {
        return false;
    }
    --size_;
    if (found->second.waiting.empty()) {
        std::erase(in_turn_, &found->second);
    }
    return true;
}

void FairQueue::begin(CallerId caller) {
    ++find_or_add(caller).in_flight;
}

void FairQueue::end(CallerId id) {
    const auto found = callers_.find(id);
    ENSURE(found != callers_.end() && found->second.in_flight > 0, "every call under way ends once");
    --found->second.in_flight;
}

std::size_t FairQueue::turns_before(CallerId id) const {
    const auto found = callers_.find(id);
    const std::size_t own = found == callers_.end() ? 0 : found->second.waiting.size();
    std::size_t turns = 0;
    for (const Caller* caller : in_turn_) {
        turns += std::min(caller->waiting.size(), caller->id == id ? own : own + 1);
    }
    return turns;
}

FairQueue::Caller& FairQueue::find_or_add(CallerId id) {
    if (const auto found = callers_.find(id); found != callers_.end()) {
        return found->second;
    }
    if (callers_.size() >= kRememberedCallers) {
        std::erase_if(callers_,
                      [](const auto& entry) { return entry.second.in_flight == 0 && entry.second.waiting.empty(); });
    }
    Caller& added = callers_[id];
    added.id = id;
    return added;
}

}  // namespace resilience
