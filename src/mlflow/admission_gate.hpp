// How many calls may be under way towards MLflow, over all workers, and a bounded, fair queue for those that wait.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/task.hpp"
#include "net/worker.hpp"
#include "resilience/concurrency_limit.hpp"

namespace mlflow {

struct Waiter;  // of admission_gate.cpp

// Why a call got no place.
enum class GateRefusal { queue_full, hopeless, timed_out, breaker_open };
constexpr std::array kGateRefusals{
    GateRefusal::queue_full, GateRefusal::hopeless, GateRefusal::timed_out, GateRefusal::breaker_open};

std::string_view to_string(GateRefusal reason);

// Safe from any worker. Outlives every Place and every enter().
class AdmissionGate {
public:
    explicit AdmissionGate(const resilience::ConcurrencySettings& settings) : limit_(settings) {}

    // The right to one call under way; given back when destroyed or released.
    class Place {
    public:
        Place(AdmissionGate& gate, const net::Worker& worker, const resilience::Admission& admission)
            : gate_(&gate), worker_(&worker), admission_(admission) {}

        Place(Place&& other) noexcept
            : gate_(std::exchange(other.gate_, nullptr)), worker_(other.worker_), admission_(other.admission_) {}

        Place& operator=(Place&& other) noexcept {
            std::swap(gate_, other.gate_);
            std::swap(worker_, other.worker_);
            std::swap(admission_, other.admission_);
            return *this;
        }

        ~Place() {
            release();
        }

        // `result` teaches the limit.
        void release(const std::optional<resilience::CallResult>& result = std::nullopt) {
            if (gate_ != nullptr) {
                std::exchange(gate_, nullptr)->leave(admission_, result, worker_->now());
            }
        }

    private:
        AdmissionGate* gate_;
        const net::Worker* worker_;
        resilience::Admission admission_;
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

    // Where nobody waits and a place is free.
    [[nodiscard]] std::optional<Place> try_enter(net::Worker& worker, resilience::CallerId caller);

    // At once, or in turn with other callers. Code::exhausted: the queue is full, or `give_up_at` came first or would
    // have; Code::cancelled: `wait` was cancelled.
    base::Task<base::Result<Place>> enter(net::Worker& worker,
                                          resilience::CallerId caller,
                                          base::MonotonicTime give_up_at,
                                          Wait& wait);

    // Ends every wait with Code::exhausted: waiting has become hopeless.
    void turn_away_waiting();

    struct Figures {
        std::size_t limit = 0;
        std::size_t in_flight = 0;
        std::size_t queued = 0;
        base::Duration time_to_drain{};  // of the queue, as far as can be told
        std::array<std::uint64_t, kGateRefusals.size()> refused{};

        [[nodiscard]] std::uint64_t refused_for(GateRefusal reason) const {
            return refused[static_cast<std::size_t>(reason)];
        }
    };

    [[nodiscard]] Figures figures(base::MonotonicTime now) const;

private:
    using Woken = std::vector<std::shared_ptr<Waiter>>;

    class QueuedTicket;

    [[nodiscard]] base::Error refuse(GateRefusal reason);
    [[nodiscard]] std::shared_ptr<Waiter> take_waiter(resilience::Ticket ticket);
    void give_free_places(Woken& woken, base::MonotonicTime now);
    void look_for_free_places(base::MonotonicTime now);
    void leave(const resilience::Admission& admission,
               const std::optional<resilience::CallResult>& result,
               base::MonotonicTime now);

    mutable std::mutex mutex_;  // guards all below, and what a Waiter tells
    resilience::ConcurrencyLimit limit_;
    std::unordered_map<resilience::Ticket, std::shared_ptr<Waiter>> waiters_;
    std::array<std::uint64_t, kGateRefusals.size()> refused_{};
};

}  // namespace mlflow
