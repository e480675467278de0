#include "mlflow/admission_gate.hpp"

#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace mlflow {

struct AdmissionGate::Waiter {
    explicit Waiter(net::Worker& owner) : worker(owner), woken(owner.context()) {}

    net::Worker& worker;
    boost::asio::steady_timer woken;
    bool has_place = false;  // of the worker's own thread
};

base::Task<base::Result<AdmissionGate::Place>> AdmissionGate::enter(net::Worker& worker,
                                                                    base::MonotonicTime give_up_at) {
    resilience::Ticket ticket = 0;
    std::shared_ptr<Waiter> waiter;
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
        waiter = std::make_shared<Waiter>(worker);
        waiters_.emplace(ticket, waiter);
    }
    waiter->woken.expires_at(give_up_at);
    co_await waiter->woken.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    if (waiter->has_place) {
        co_return Place(*this);
    }
    const std::lock_guard lock(mutex_);
    waiters_.erase(ticket);
    if (!limit_.cancel(ticket)) {
        co_return Place(*this);  // it came in this very moment
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
        worker.post([next = std::move(next)] {
            next->has_place = true;
            next->woken.cancel();
        });
    }
}

AdmissionGate::Figures AdmissionGate::figures() const {
    const std::lock_guard lock(mutex_);
    return {limit_.limit(), limit_.in_flight(), limit_.queued(), limit_.refused_total()};
}

}  // namespace mlflow
