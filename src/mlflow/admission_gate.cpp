#include "mlflow/admission_gate.hpp"

#include <algorithm>
#include <string_view>

#include "net/use_task.hpp"

#include <boost/asio/steady_timer.hpp>

namespace mlflow {

namespace {

// Places also come free as calls grow old, which nobody announces.
constexpr auto kLookAgain = std::chrono::milliseconds(250);

struct RefusalText {
    std::string_view name;
    std::string_view message;
};

constexpr std::array<RefusalText, kGateRefusals.size()> kRefusalTexts{
    {{"queue_full", "too many calls wait for MLflow"},
     {"hopeless", "MLflow is too busy: no place would come free in time"},
     {"timed_out", "MLflow is too busy: no place came free in time"},
     {"breaker_open", "MLflow stopped answering while this call waited"}}};

}  // namespace

std::string_view to_string(GateRefusal reason) {
    return kRefusalTexts[static_cast<std::size_t>(reason)].name;
}

struct Waiter {
    explicit Waiter(net::Worker& owner) : worker(owner), woken(owner.context()) {}

    net::Worker& worker;
    boost::asio::steady_timer woken;
    std::optional<resilience::Admission> admission;  // its turn has come
    std::optional<GateRefusal> refusal;              // its turn will not come
};

namespace {

void wake(const std::vector<std::shared_ptr<Waiter>>& waiters) {
    for (const std::shared_ptr<Waiter>& waiter : waiters) {
        waiter->worker.post([waiter] { waiter->woken.cancel(); });
    }
}

}  // namespace

// A place in the queue, left whatever way the wait ends.
class AdmissionGate::QueuedTicket {
public:
    QueuedTicket(AdmissionGate& gate,
                 resilience::CallerId caller,
                 resilience::Ticket ticket,
                 std::shared_ptr<Waiter> waiter)
        : gate_(gate), caller_(caller), ticket_(ticket), waiter_(std::move(waiter)) {}

    QueuedTicket(const QueuedTicket&) = delete;
    QueuedTicket& operator=(const QueuedTicket&) = delete;

    ~QueuedTicket() {
        if (!has_left_) {
            leave();
            if (waiter_->admission) {
                gate_.leave(*waiter_->admission, std::nullopt, waiter_->worker.now());
            }
        }
    }

    [[nodiscard]] bool is_settled() const {
        const std::lock_guard lock(gate_.mutex_);
        return waiter_->admission || waiter_->refusal;
    }

    // From here on the waiter stays as it is.
    void leave() {
        has_left_ = true;
        const std::lock_guard lock(gate_.mutex_);
        gate_.waiters_.erase(ticket_);
        gate_.limit_.cancel(caller_, ticket_);
    }

private:
    AdmissionGate& gate_;
    const resilience::CallerId caller_;
    const resilience::Ticket ticket_;
    const std::shared_ptr<Waiter> waiter_;
    bool has_left_ = false;
};

void AdmissionGate::Wait::cancel() {
    is_cancelled_ = true;
    if (waiter_) {
        waiter_->woken.cancel();
    }
}

std::optional<AdmissionGate::Place> AdmissionGate::try_enter(net::Worker& worker, resilience::CallerId caller) {
    const std::lock_guard lock(mutex_);
    const std::optional<resilience::Admission> admission = limit_.try_enter(caller, worker.now());
    return admission ? std::optional<Place>(std::in_place, *this, worker, *admission) : std::nullopt;
}

base::Task<base::Result<AdmissionGate::Place>> AdmissionGate::enter(net::Worker& worker,
                                                                    resilience::CallerId caller,
                                                                    base::MonotonicTime give_up_at,
                                                                    Wait& wait) {
    using Kind = resilience::Entry::Kind;
    base::MonotonicTime now = worker.now();
    resilience::Ticket ticket = 0;
    Woken woken;
    {
        const std::lock_guard lock(mutex_);
        const resilience::Entry entry = limit_.enter(caller, give_up_at - now, now);
        if (entry.kind == Kind::admitted) {
            co_return Place(*this, worker, entry.admission);
        }
        if (entry.kind != Kind::queued) {
            co_return std::unexpected(
                refuse(entry.kind == Kind::hopeless ? GateRefusal::hopeless : GateRefusal::queue_full));
        }
        ticket = entry.ticket;
        wait.waiter_ = std::make_shared<Waiter>(worker);
        waiters_.emplace(ticket, wait.waiter_);
        if (entry.displaced) {
            woken.push_back(take_waiter(*entry.displaced));
            woken.back()->refusal = GateRefusal::queue_full;
        }
        give_free_places(woken, now);
    }
    wake(woken);
    Waiter& waiter = *wait.waiter_;
    QueuedTicket queued(*this, caller, ticket, wait.waiter_);
    do {
        waiter.woken.expires_at(wait.is_cancelled_ ? now : std::min(give_up_at, now + kLookAgain));
        co_await waiter.woken.async_wait(net::use_task);
        now = worker.now();
        look_for_free_places(now);
    } while (!queued.is_settled() && !wait.is_cancelled_ && now < give_up_at);
    queued.leave();
    if (waiter.admission) {
        co_return Place(*this, worker, *waiter.admission);
    }
    if (wait.is_cancelled_) {
        co_return base::fail(base::Code::cancelled, "the client went away while its call was waiting");
    }
    const std::lock_guard lock(mutex_);
    co_return std::unexpected(refuse(waiter.refusal.value_or(GateRefusal::timed_out)));
}

base::Error AdmissionGate::refuse(GateRefusal reason) {
    const auto kind = static_cast<std::size_t>(reason);
    ++refused_[kind];
    return {base::Code::exhausted, std::string(kRefusalTexts[kind].message)};
}

std::shared_ptr<Waiter> AdmissionGate::take_waiter(resilience::Ticket ticket) {
    return std::move(waiters_.extract(ticket).mapped());
}

void AdmissionGate::give_free_places(Woken& woken, base::MonotonicTime now) {
    while (const auto turn = limit_.next_turn(now)) {
        woken.push_back(take_waiter(turn->ticket));
        woken.back()->admission = turn->admission;
    }
}

void AdmissionGate::look_for_free_places(base::MonotonicTime now) {
    Woken woken;
    {
        const std::lock_guard lock(mutex_);
        give_free_places(woken, now);
    }
    wake(woken);
}

void AdmissionGate::leave(const resilience::Admission& admission,
                          const std::optional<resilience::CallResult>& result,
                          base::MonotonicTime now) {
    Woken woken;
    {
        const std::lock_guard lock(mutex_);
        limit_.leave(admission, result, now);
        give_free_places(woken, now);
    }
    wake(woken);
}

void AdmissionGate::turn_away_waiting() {
    Woken woken;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [ticket, waiter] : waiters_) {
            waiter->refusal = GateRefusal::breaker_open;
            woken.push_back(waiter);
        }
    }
    wake(woken);
}

AdmissionGate::Figures AdmissionGate::figures(base::MonotonicTime now) const {
    const std::lock_guard lock(mutex_);
    return {limit_.limit(now), limit_.in_flight(), limit_.queued(), limit_.time_to_drain(now), refused_};
}

}  // namespace mlflow
