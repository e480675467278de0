// Time limits for socket operations, cheap enough to move on every request.
#pragma once

#include <array>
#include <cstddef>
#include <functional>

#include "base/clock.hpp"

namespace net {

class Deadline;

// A hashed timing wheel (Varghese and Lauck, 1987) with lazy cancellation: moving a deadline later is one store, and
// the entry is looked at again when its old slot comes round. Pure; a worker calls advance() about every kTick. Not
// thread-safe.
class DeadlineWheel {
public:
    static constexpr base::Duration kTick = std::chrono::milliseconds(50);

    explicit DeadlineWheel(base::MonotonicTime now);
    DeadlineWheel(const DeadlineWheel&) = delete;
    DeadlineWheel& operator=(const DeadlineWheel&) = delete;
    ~DeadlineWheel();

    // Runs the callbacks of what has expired. A deadline fires at most kTick plus the caller's own lateness after its
    // time.
    void advance(base::MonotonicTime now);

    [[nodiscard]] bool is_empty() const {
        return size_ == 0;
    }

private:
    friend class Deadline;
    static constexpr std::size_t kSlots = 256;

    struct Link {
        Link* next = this;
        Link* previous = this;
    };

    void insert(Deadline& deadline);
    void remove(Deadline& deadline);
    [[nodiscard]] std::size_t slot_of(base::MonotonicTime time) const;

    std::array<Link, kSlots> slots_;
    base::MonotonicTime start_;
    std::size_t current_ = 0;  // ticks since start_
    std::size_t size_ = 0;
};

// One time limit, owned by a connection or an upstream exchange. Must not outlive its wheel.
class Deadline : private DeadlineWheel::Link {
public:
    // `on_expiry` runs on the worker, inside advance(); it may cancel I/O, set another time, or destroy any Deadline
    // but this.
    Deadline(DeadlineWheel& wheel, std::function<void()> on_expiry);
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;
    ~Deadline();

    // Replaces the time; has_expired() is false again.
    void set(base::MonotonicTime time);
    void clear();

    [[nodiscard]] bool has_expired() const {
        return has_expired_;
    }

private:
    friend class DeadlineWheel;
    DeadlineWheel& wheel_;
    std::function<void()> on_expiry_;
    base::MonotonicTime time_ = base::MonotonicTime::max();
    std::size_t slot_tick_ = 0;  // the tick its slot is next looked at
    bool is_linked_ = false;
    bool has_expired_ = false;
};

}  // namespace net
