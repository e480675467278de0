#include "resilience/concurrency_limit.hpp"

#include <algorithm>

#include "base/ensure.hpp"

namespace resilience {

ConcurrencyLimit::ConcurrencyLimit(std::size_t limit, std::size_t queue_capacity)
    : limit_(limit), queue_capacity_(queue_capacity) {
    ENSURE(limit >= 1, "a limit of none would never let a call through");
}

Entry ConcurrencyLimit::try_acquire() {
    if (in_flight_ < limit_ && queue_.empty()) {
        ++in_flight_;
        return {.kind = Entry::Kind::admitted};
    }
    if (queue_.size() >= queue_capacity_) {
        ++refused_total_;
        return {.kind = Entry::Kind::refused};
    }
    queue_.push_back(next_ticket_);
    return {.kind = Entry::Kind::queued, .ticket = next_ticket_++};
}

std::optional<Ticket> ConcurrencyLimit::release() {
    ENSURE(in_flight_ > 0, "every place is released once");
    --in_flight_;
    return wake_next();
}

bool ConcurrencyLimit::cancel(Ticket ticket) {
    const auto place = std::ranges::lower_bound(queue_, ticket);
    if (place == queue_.end() || *place != ticket) {
        return false;
    }
    queue_.erase(place);
    return true;
}

void ConcurrencyLimit::set_limit(std::size_t limit) {
    ENSURE(limit >= 1, "a limit of none would never let a call through");
    limit_ = limit;
}

std::optional<Ticket> ConcurrencyLimit::wake_next() {
    if (queue_.empty() || in_flight_ >= limit_) {
        return std::nullopt;
    }
    const Ticket ticket = queue_.front();
    queue_.pop_front();
    ++in_flight_;
    return ticket;
}

}  // namespace resilience
