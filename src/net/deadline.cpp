#include "net/deadline.hpp"

#include <algorithm>
#include <utility>

#include "base/ensure.hpp"

namespace net {

DeadlineWheel::DeadlineWheel(base::MonotonicTime now) : start_(now) {}

DeadlineWheel::~DeadlineWheel() {
    ENSURE(size_ == 0, "every deadline belongs to a connection that ended before its worker");
}

std::size_t DeadlineWheel::slot_of(base::MonotonicTime time) const {
    const auto ticks = time <= start_ ? 0 : static_cast<std::size_t>((time - start_) / kTick) + 1;
    // What lies beyond the horizon waits in the farthest slot and is placed again from there.
    return std::clamp(ticks, current_ + 1, current_ + kSlots - 1);
}

void DeadlineWheel::insert(Deadline& deadline) {
    deadline.slot_tick_ = slot_of(deadline.time_);
    Link& head = slots_[deadline.slot_tick_ % kSlots];
    Link& link = deadline;
    link.next = &head;
    link.previous = head.previous;
    head.previous->next = &link;
    head.previous = &link;
    deadline.is_linked_ = true;
    ++size_;
}

void DeadlineWheel::remove(Deadline& deadline) {
    const Link& link = deadline;
    link.previous->next = link.next;
    link.next->previous = link.previous;
    deadline.is_linked_ = false;
    --size_;
}

void DeadlineWheel::advance(base::MonotonicTime now) {
    const auto target = static_cast<std::size_t>(std::max(base::Duration(0), base::Duration(now - start_)) / kTick);
    // After a long pause (a suspended machine) one round visits every slot once.
    if (target > kSlots) {
        current_ = std::max(current_, target - kSlots);
    }
    for (std::size_t tick = current_ + 1; tick <= target; ++tick) {
        current_ = tick;
        Link& head = slots_[tick % kSlots];
        Link pending;
        if (head.next == &head) {
            continue;
        }
        pending.next = head.next;
        pending.previous = head.previous;
        pending.next->previous = &pending;
        pending.previous->next = &pending;
        head.next = head.previous = &head;
        while (pending.next != &pending) {
            auto& deadline = static_cast<Deadline&>(*pending.next);
            remove(deadline);
            if (deadline.time_ == base::MonotonicTime::max()) {
                continue;
            }
            if (deadline.time_ > now) {
                insert(deadline);
                continue;
            }
            deadline.time_ = base::MonotonicTime::max();
            deadline.has_expired_ = true;
            deadline.on_expiry_();
        }
    }
    current_ = std::max(current_, target);
}

Deadline::Deadline(DeadlineWheel& wheel, std::function<void()> on_expiry)
    : wheel_(wheel), on_expiry_(std::move(on_expiry)) {}

Deadline::~Deadline() {
    if (is_linked_) {
        wheel_.remove(*this);
    }
}

void Deadline::set(base::MonotonicTime time) {
    has_expired_ = false;
    time_ = time;
    if (is_linked_) {
        if (wheel_.slot_of(time) >= slot_tick_) {
            return;
        }
        wheel_.remove(*this);
    }
    wheel_.insert(*this);
}

void Deadline::clear() {
    time_ = base::MonotonicTime::max();
    has_expired_ = false;
}

}  // namespace net
