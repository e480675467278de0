#include "mlflow/admission_gate.hpp"

#include <utility>

#include "net/use_task.hpp"

#include <boost/asio/steady_timer.hpp>

namespace mlflow {

struct Waiter {
    explicit Waiter(net::Worker& owner) : worker(owner), woken(owner.context()) {}

    net::Worker& worker;
    boost::asio::steady_timer woken;
};

// A place in the queue, left whatever way the wait ends.
class AdmissionGate::QueuedTicket {
public:
    QueuedTicket(AdmissionGate& gate, resilience::Ticket ticket) : gate_(gate), ticket_(ticket) {}

    QueuedTicket(const QueuedTicket&) = delete;
    QueuedTicket& operator=(const QueuedTicket&) = delete;

    ~QueuedTicket() {
        if (!has_left_ && leave()) {
            gate_.leave();
        }
    }

    // Whether its turn had come, so that the caller now owns a place.
    [[nodiscard]] bool leave() {
        has_left_ = true;
        const std::lock_guard lock(gate_.mutex_);
        gate_.waiters_.erase(ticket_);
        return !gate_.limit_.cancel(ticket_);
    }

private:
    AdmissionGate& gate_;
    resilience::Ticket ticket_;
    bool has_left_ = false;
};

void AdmissionGate::Wait::cancel() {
    is_cancelled_ = true;
    if (waiter_) {
        waiter_->woken.cancel();
    }
}

base::Task<base::Result<AdmissionGate::Place>> AdmissionGate::enter(net::Worker& worker,
                                                                    base::MonotonicTime give_up_at,
                                                                    Wait& wait) {
    resilience::Ticket ticket = 0;
    {
        const std::lock_guard lock(mutex_);
        const resilience::Entry entry = limit_.try_acquire();
        if (entry.kind == resilience::Entry::Kind::admitted) {
            co_return Place(*this);
        }
        if (entry.kind == resilience::Entry::Kind::refused) {
            co_return base::fail(base::Code::exhausted, "too many calls wait for MLflow");
        }
        ticket = entry.ticket;
        wait.waiter_ = std::make_shared<Waiter>(worker);
        wait.waiter_->woken.expires_at(wait.is_cancelled_ ? worker.now() : give_up_at);
        waiters_.emplace(ticket, wait.waiter_);
    }
    QueuedTicket queued(*this, ticket);
    co_await wait.waiter_->woken.async_wait(net::use_task);
    if (queued.leave()) {
        co_return Place(*this);
    }
    if (wait.is_cancelled_) {
        co_return base::fail(base::Code::cancelled, "the client went away while its call was waiting");
    }
    co_return base::fail(base::Code::exhausted, "MLflow is too busy: no place came free in time");
}

void AdmissionGate::leave() {
    std::shared_ptr<Waiter> next;
    {
        const std::lock_guard lock(mutex_);
        const std::optional<resilience::Ticket> ticket = limit_.release();
        if (ticket) {
            const auto found = waiters_.find(*ticket);
            if (found != waiters_.end()) {
                next = std::move(found->second);
                waiters_.erase(found);
            }
        }
    }
    if (next) {
        net::Worker& worker = next->worker;
        worker.post([next = std::move(next)] { next->woken.cancel(); });
    }
}

void AdmissionGate::turn_away_waiting() {
    const std::lock_guard lock(mutex_);
    for (const auto& [ticket, waiter] : waiters_) {
        waiter->worker.post([waiter] { waiter->woken.cancel(); });
    }
}

AdmissionGate::Figures AdmissionGate::figures() const {
    const std::lock_guard lock(mutex_);
    return {limit_.limit(), limit_.in_flight(), limit_.queued(), limit_.refused_total()};
}

}  // namespace mlflow
