// How many calls may be under way towards MLflow, over all workers, and a bounded queue for those that wait.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/error.hpp"
#include "base/task.hpp"
#include "net/worker.hpp"
#include "resilience/concurrency_limit.hpp"

namespace mlflow {

struct Waiter;  // of admission_gate.cpp

// Safe from any worker. Outlives every Place and every enter().
class AdmissionGate {
public:
    AdmissionGate(std::size_t limit, std::size_t queue_capacity) : limit_(limit, queue_capacity) {}

    // The right to one call under way; given back when destroyed or released.
    class Place {
    public:
        explicit Place(AdmissionGate& gate) : gate_(&gate) {}

        Place(Place&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}

        Place& operator=(Place&& other) noexcept {
            std::swap(gate_, other.gate_);
            return *this;
        }

        ~Place() {
            release();
        }

        void release() {
            if (gate_ != nullptr) {
                std::exchange(gate_, nullptr)->leave();
            }
        }

    private:
        AdmissionGate* gate_;
    };

    // Lets the owner of a call end its wait, on the call's own worker.
    class Wait {
    public:
        void cancel();

        [[nodiscard]] bool is_cancelled() const {
            return is_cancelled_;
        }

        // Whether the call had to queue.
        [[nodiscard]] bool has_queued() const {
            return waiter_ != nullptr;
        }

    private:
        friend class AdmissionGate;
        std::shared_ptr<Waiter> waiter_;
        bool is_cancelled_ = false;
    };

    // At once, or in turn. Code::exhausted: the queue is full, or `give_up_at` came first; Code::cancelled: `wait` was
    // cancelled.
    base::Task<base::Result<Place>> enter(net::Worker& worker, base::MonotonicTime give_up_at, Wait& wait);

    // Ends every wait with Code::exhausted: waiting has become hopeless.
    void turn_away_waiting();

    struct Figures {
        std::size_t limit;
        std::size_t in_flight;
        std::size_t queued;
        std::uint64_t refused_total;
    };

    [[nodiscard]] Figures figures() const;

private:
    class QueuedTicket;

    void leave();

    mutable std::mutex mutex_;  // guards the two below
    resilience::ConcurrencyLimit limit_;
    std::unordered_map<resilience::Ticket, std::shared_ptr<Waiter>> waiters_;
};

}  // namespace mlflow
