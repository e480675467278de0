// The parts of GatewayCall that get it a place among the calls under way, or the answer of an equal one.
#include <algorithm>
#include <functional>
#include <utility>

#include "mlflow/gateway_call.hpp"

namespace mlflow {

namespace {

// Places are shared out fairly by key; where nobody is asked for one, by peer.
resilience::CallerId caller_of(const http::Exchange& exchange) {
    const std::string_view key = exchange.caller.key_id;
    return key.empty() ? std::hash<boost::asio::ip::address>{}(exchange.peer()) : std::hash<std::string_view>{}(key);
}

}  // namespace

base::Task<GatewayCall::Turn> GatewayCall::take_place(resilience::Permit& permit) {
    net::Worker& worker = gateway_.worker_;
    AdmissionGate& gate = call_.is_artifact() || !is_small_ ? upstream_.bulk_gate : upstream_.api_gate;
    place_ = gate.try_enter(worker, caller_of(exchange_));
    if (place_) {
        co_return Turn::taken;
    }
    if (is_small_) {
        abort_check_.set(worker.now() + kAbortCheckDelay);
    }
    if (may_share_) {
        std::string key = sharing_key(exchange_.request(), call_.target);
        if (gateway_.coalescer_.has_lead(key)) {
            const Turn turn = co_await follow(key, permit);
            co_return turn;
        }
        lead_.emplace(gateway_.coalescer_, std::move(key));
    }
    if (!give_up_at_) {
        give_up_at_ = worker.now() + upstream_.settings.max_queue_time;
    }
    base::Result<AdmissionGate::Place> place = co_await gate.enter(worker, caller_of(exchange_), *give_up_at_, wait_);
    // Clients resend what they gave up on, so a call nobody waits for any more must not reach MLflow.
    if (wait_.has_queued() && exchange_.has_client_left()) {
        exchange_.abort();
    }
    if (ends_aborted(permit)) {
        co_return Turn::over;
    }
    const bool has_opened = wait_.has_queued() && upstream_.breaker.state() == resilience::BreakerState::open;
    if (!place || has_opened) {
        permit.report(resilience::Outcome::ignored, worker.now());
        gateway_.metrics_.refused_by_queue.add();
        const base::MonotonicTime now = worker.now();
        const base::Duration until_retry =
            std::max<base::Duration>(upstream_.breaker.status(now).time_until_retry, gate.figures(now).time_to_drain);
        co_await fail(has_opened ? out_of_reach("MLflow stopped answering while this call waited", until_retry)
                                 : unavailable(place.error().message, until_retry),
                      false);
        co_return Turn::over;
    }
    place_.emplace(std::move(*place));
    co_return Turn::taken;
}

base::Task<GatewayCall::Turn> GatewayCall::follow(const std::string& key, resilience::Permit& permit) {
    using Outcome = Coalescer::Outcome;
    const Outcome outcome = co_await gateway_.coalescer_.join(
        key,
        [this](const http::ResponseHead& head, std::string_view body) {
            begin_client_answer(head);
            exchange_.output().append(body);
        },
        follow_);
    if (ends_aborted(permit)) {
        co_return Turn::over;
    }
    permit.report(resilience::Outcome::ignored, gateway_.worker_.now());
    if (outcome != Outcome::answered) {
        may_share_ = outcome == Outcome::not_sent;
        co_return Turn::start_over;
    }
    observer_ = nullptr;
    gateway_.metrics_.coalesced.add();
    const net::ErrorCode error = co_await exchange_.flush();
    if (error) {
        exchange_.abort();
    }
    co_return Turn::over;
}

}  // namespace mlflow
