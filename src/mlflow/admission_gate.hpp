// How many calls may be under way towards MLflow, over all workers, and a bounded queue for those that wait.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "base/error.hpp"
#include "base/task.hpp"
#include "net/worker.hpp"
#include "resilience/concurrency_limit.hpp"

namespace mlflow {

// Safe from any worker.
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

    // At once, in turn, or Code::exhausted: the queue is full, or `give_up_at` came first.
    base::Task<base::Result<Place>> enter(net::Worker& worker, base::MonotonicTime give_up_at);

    struct Figures {
        std::size_t limit;
        std::size_t in_flight;
        std::size_t queued;
        std::uint64_t refused_total;
    };

    [[nodiscard]] Figures figures() const;

private:
    struct Waiter;

    void leave();

    mutable std::mutex mutex_;  // guards the two below
    resilience::ConcurrencyLimit limit_;
    std::unordered_map<resilience::Ticket, std::shared_ptr<Waiter>> waiters_;
};

}  // namespace mlflow
