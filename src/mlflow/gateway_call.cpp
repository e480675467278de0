#include "mlflow/gateway_call.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <utility>

#include "mlflow/outcome.hpp"
#include "mlflow/rewrite.hpp"
#include "net/use_task.hpp"
#include "resilience/backoff.hpp"
#include "telemetry/log.hpp"

#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

namespace mlflow {

namespace {

// Bodies of known length up to this are read before MLflow is bothered, and sent with the head in one write.
constexpr std::uint64_t kSmallBody = 64UL * 1024;
constexpr unsigned kMaxRetries = 2;
constexpr auto kAbortCheckDelay = std::chrono::seconds(1);
constexpr resilience::BackoffSettings kRetryBackoff{std::chrono::milliseconds(50), std::chrono::seconds(1)};
constexpr std::string_view kGoesOn = "; the gateway tries MLflow in the background and goes on by itself";

// MLflow's server writes head and body apart; the head of a small answer waits for its body, so that both leave
// together.
bool is_head_held_for_body(const http::ResponseHead& head) {
    return head.framing.kind == http::Framing::Kind::length && head.framing.length <= kSmallBody;
}

bool has_small_body(const http::RequestHead& request) {
    return request.framing.kind == http::Framing::Kind::none ||
           (request.framing.kind == http::Framing::Kind::length && request.framing.length <= kSmallBody);
}

// Places are shared out fairly by key; where nobody is asked for one, by peer.
resilience::CallerId caller_of(const http::Exchange& exchange) {
    const std::string_view key = exchange.caller.key_id;
    return key.empty() ? std::hash<boost::asio::ip::address>{}(exchange.peer()) : std::hash<std::string_view>{}(key);
}

}  // namespace

GatewayCall::GatewayCall(Gateway& gateway, http::Exchange& exchange)
    : gateway_(gateway),
      upstream_(gateway.upstream_),
      exchange_(exchange),
      call_(to_upstream(exchange.request())),
      is_safe_((exchange.request().method == http::Method::get || exchange.request().method == http::Method::head) &&
               exchange.request().framing.kind == http::Framing::Kind::none),
      is_small_(has_small_body(exchange.request())),
      traceparent_(next_traceparent()),
      abort_check_(gateway.worker_.deadlines(), [this] { exchange_.watch_client(); }) {
    exchange_.on_abort([this] {
        wait_.cancel();
        if (connection_ != nullptr) {
            connection_->cancel();
        }
    });
}

telemetry::Traceparent GatewayCall::next_traceparent() {
    const http::Fields& fields = exchange_.request().fields;
    const auto header = fields.find(http::FieldName::traceparent);
    const auto parent = header && fields.count(http::FieldName::traceparent) == 1
                            ? telemetry::parse_traceparent(*header)
                            : std::nullopt;
    starts_trace_ = !parent.has_value();
    return telemetry::to_traceparent(telemetry::next_span(parent, gateway_.worker_.random()));
}

std::optional<http::Response> GatewayCall::refuse_outright() const {
    if (is_loop(exchange_.request().fields, upstream_.rules.via_name)) {
        return http::mlflow_error_response(
            508,
            "INVALID_STATE",
            "the request came back to this gateway: MLflow's address leads to the gateway itself; "
            "set MLFLOW_SERVER_URL to MLflow's own address");
    }
    const std::string_view path = call_.target.substr(0, call_.target.find('?'));
    if (!upstream_.settings.serves_artifacts && is_artifact_proxy_path(path)) {
        return http::mlflow_error_response(
            501,
            "NOT_IMPLEMENTED",
            "artifact storage is switched off here; MLFLOW_SERVE_ARTIFACTS=true switches it on");
    }
    return std::nullopt;
}

base::Task<> GatewayCall::run() {
    if (const std::optional<http::Response> refusal = refuse_outright()) {
        exchange_.answer(*refusal);
        co_return;
    }
    net::Worker& worker = gateway_.worker_;
    upstream_.retry_budget.count_request(worker.now());
    auto freshness = http::ClientPool::Freshness::kept_or_new;
    for (;;) {
        std::expected<resilience::Permit, resilience::Refusal> permit = upstream_.breaker.admit(worker.now());
        if (!permit) {
            answer_refusal(permit.error());
            co_return;
        }
        if (is_small_ && !exchange_.is_body_complete()) {
            const bool is_read = co_await read_small_body();
            if (!is_read) {
                permit->report(resilience::Outcome::cancelled, worker.now());
                co_return;
            }
        }
        if (!place_) {
            const bool has_place = co_await take_place(*permit);
            if (!has_place) {
                co_return;
            }
        }
        const std::optional<Failure> failure = co_await attempt(*permit, freshness);
        connection_ = nullptr;
        if (!failure) {
            co_return;
        }
        if (!may_retry(*failure)) {
            answer_failure(*failure);
            co_return;
        }
        if (failure->was_stale) {
            freshness = http::ClientPool::Freshness::newly_opened;
            continue;
        }
        gateway_.metrics_.retries.add();
        boost::asio::steady_timer pause(worker.context());
        pause.expires_after(resilience::backoff_delay(kRetryBackoff, retries_++, worker.random()));
        co_await pause.async_wait(net::use_task);
        if (exchange_.is_aborted()) {
            co_return;
        }
    }
}

// Whether the client is gone, so that nothing more is to be done for it.
bool GatewayCall::ends_aborted(resilience::Permit& permit) {
    if (exchange_.is_aborted()) {
        permit.report(resilience::Outcome::cancelled, gateway_.worker_.now());
        gateway_.metrics_.cancelled.add();
    }
    return exchange_.is_aborted();
}

base::Task<bool> GatewayCall::take_place(resilience::Permit& permit) {
    net::Worker& worker = gateway_.worker_;
    AdmissionGate& gate = call_.is_artifact() || !is_small_ ? upstream_.bulk_gate : upstream_.api_gate;
    if (is_small_) {
        abort_check_.set(worker.now() + kAbortCheckDelay);
    }
    base::Result<AdmissionGate::Place> place =
        co_await gate.enter(worker, caller_of(exchange_), worker.now() + upstream_.settings.max_queue_time, wait_);
    // Clients resend what they gave up on, so a call nobody waits for any more must not reach MLflow.
    if (wait_.has_queued() && exchange_.has_client_left()) {
        exchange_.abort();
    }
    if (ends_aborted(permit)) {
        co_return false;
    }
    const bool has_opened = wait_.has_queued() && upstream_.breaker.state() == resilience::BreakerState::open;
    if (!place || has_opened) {
        permit.report(resilience::Outcome::ignored, worker.now());
        gateway_.metrics_.refused_by_queue.add();
        const base::MonotonicTime now = worker.now();
        const base::Duration until_retry =
            std::max<base::Duration>(upstream_.breaker.status(now).time_until_retry, gate.figures(now).time_to_drain);
        exchange_.answer(
            has_opened
                ? unavailable("MLflow stopped answering while this call waited" + std::string(kGoesOn), until_retry)
                : unavailable(place.error().message, until_retry));
        co_return false;
    }
    place_.emplace(std::move(*place));
    co_return true;
}

base::Task<bool> GatewayCall::read_small_body() {
    base::Result<std::string> body = co_await exchange_.read_whole_body(kSmallBody);
    if (!body) {
        answer_broken_body(body.error());
        co_return false;
    }
    small_body_ = std::move(*body);
    co_return true;
}

base::Task<std::optional<GatewayCall::Failure>> GatewayCall::attempt(resilience::Permit& permit,
                                                                     http::ClientPool::Freshness freshness) {
    const net::Worker& worker = gateway_.worker_;
    base::Result<std::unique_ptr<http::ClientConnection>> acquired = co_await gateway_.pool_.acquire(freshness);
    if (!acquired) {
        const Failure failure{acquired.error()};
        report_failure(permit, failure);
        co_return failure;
    }
    if (ends_aborted(permit)) {
        co_return std::nullopt;
    }
    http::ClientConnection& connection = **acquired;
    connection_ = &connection;
    const base::MonotonicTime sent_at = worker.now();
    const base::Result<void> sent = co_await send_request(connection);
    if (exchange_.answered_status() != 0 || (!sent && exchange_.is_aborted())) {
        // The client's own body failed it, or it went away.
        permit.report(resilience::Outcome::cancelled, worker.now());
        gateway_.metrics_.cancelled.add();
        co_return std::nullopt;
    }
    // From here on nothing of the client is read, so its end has to be watched for.
    abort_check_.set(worker.now() + kAbortCheckDelay);
    const base::Duration patience =
        call_.kind == CallKind::read ? upstream_.settings.read_timeout : upstream_.settings.write_timeout;
    // A request that could not be sent whole may still have been answered: 413, 401 and the like.
    const base::Result<const http::ResponseHead*> head = co_await connection.read_head(
        exchange_.request().method, worker.now() + (sent ? patience : std::chrono::seconds(1)));
    if (!head) {
        Failure failure{sent || connection.has_early_answer() ? head.error() : sent.error()};
        failure.was_sent = connection.has_sent();
        failure.was_begun = connection.has_received();
        failure.was_stale = connection.is_reused() && !failure.was_begun &&
                            failure.error.code == base::Code::unavailable && !has_reopened_;
        report_failure(permit, failure);
        co_return failure;
    }
    // Until the client has been sent something, an answer that breaks off can still be told as a failure.
    base::Result<std::string_view> piece = connection.read_buffered_body();
    if (piece && piece->empty() && !connection.is_body_complete() && is_head_held_for_body(**head)) {
        piece = co_await connection.read_body(upstream_.settings.body_idle_timeout);
    }
    if (!piece) {
        const Failure failure{.error = piece.error(), .was_sent = true, .was_begun = true};
        report_failure(permit, failure);
        co_return failure;
    }
    report_answer(permit, **head, sent_at);
    co_await relay_answer(connection, **head, *piece);
    if (!exchange_.is_aborted()) {
        gateway_.pool_.release(std::move(*acquired));
    }
    co_return std::nullopt;
}

void GatewayCall::report_failure(resilience::Permit& permit, const Failure& failure) {
    using resilience::Outcome;
    if (exchange_.is_aborted() || failure.error.code == base::Code::cancelled) {
        permit.report(Outcome::cancelled, gateway_.worker_.now());
        gateway_.metrics_.cancelled.add();
        return;
    }
    if (failure.error.code == base::Code::deadline_exceeded) {
        place_->release(resilience::CallResult{.was_dropped = true});
    }
    const bool is_ours = failure.was_stale || failure.error.code == base::Code::exhausted;
    permit.report(is_ours ? Outcome::ignored : Outcome::failure, gateway_.worker_.now());
    if (!is_ours) {
        gateway_.metrics_.failures.add();
        telemetry::log_debug("mlflow_call_failed",
                             {{"request_id", exchange_.request_id()}, {"error", failure.error.message}});
    }
}

void GatewayCall::report_answer(resilience::Permit& permit,
                                const http::ResponseHead& head,
                                base::MonotonicTime sent_at) {
    const base::MonotonicTime now = gateway_.worker_.now();
    const Verdict verdict = judge(head, call_.kind, gateway_.worker_.clock().wall_now());
    permit.report(verdict.outcome, now, verdict.retry_after);
    upstream_.note_answer(now);
    if (!call_.is_artifact()) {
        using resilience::Outcome;
        const bool was_dropped = verdict.outcome == Outcome::overload || verdict.outcome == Outcome::failure;
        place_->release(resilience::CallResult{
            traffic_class(exchange_.request().method, call_.target), now - sent_at, was_dropped});
    }
    GatewayMetrics& metrics = gateway_.metrics_;
    metrics.time_to_head.observe(std::chrono::duration<double>(now - sent_at).count());
    switch (verdict.outcome) {
        case resilience::Outcome::failure:
            metrics.failures.add();
            break;
        case resilience::Outcome::overload:
            metrics.overloads.add();
            break;
        case resilience::Outcome::success:
        case resilience::Outcome::slow:
        case resilience::Outcome::ignored:
        case resilience::Outcome::cancelled:
            metrics.successes.add();
            break;
    }
}

bool GatewayCall::may_retry(const Failure& failure) {
    if (!is_safe_ || failure.was_begun || exchange_.is_aborted() ||
        failure.error.code == base::Code::deadline_exceeded || failure.error.code == base::Code::cancelled) {
        return false;
    }
    if (failure.was_stale) {
        has_reopened_ = true;
        return true;
    }
    return retries_ < kMaxRetries && upstream_.retry_budget.try_spend(gateway_.worker_.now());
}

http::Response GatewayCall::unavailable(std::string_view message, base::Duration until_retry) {
    http::Response response = http::mlflow_error_response(503, "TEMPORARILY_UNAVAILABLE", message);
    const std::chrono::seconds wait = resilience::retry_after_seconds(until_retry, gateway_.worker_.random());
    response.headers.emplace_back("Retry-After", std::to_string(wait.count()));
    return response;
}

void GatewayCall::answer_refusal(const resilience::Refusal& refusal) {
    gateway_.metrics_.refused_by_breaker.add();
    exchange_.answer(unavailable(
        "MLflow is unavailable: " + resilience::describe(upstream_.breaker.name(), refusal) + std::string(kGoesOn),
        refusal.retry_after));
}

void GatewayCall::answer_failure(const Failure& failure) {
    if (exchange_.is_aborted()) {
        exchange_.close_after_answer();
        return;
    }
    // What MLflow may have acted on must not look as if it had not been done.
    if (failure.was_sent && !is_safe_ && call_.is_write()) {
        exchange_.answer(
            http::mlflow_error_response(504,
                                        "DEADLINE_EXCEEDED",
                                        "MLflow got this call, and no answer came: " + failure.error.message +
                                            "; it may have been carried out, so look before repeating it"));
        return;
    }
    exchange_.answer(unavailable("MLflow is unavailable: " + failure.error.message + std::string(kGoesOn),
                                 upstream_.breaker.status(gateway_.worker_.now()).time_until_retry));
}

void GatewayCall::answer_broken_body(const base::Error& error) {
    exchange_.close_after_answer();
    if (error.code == base::Code::deadline_exceeded) {
        exchange_.answer(http::mlflow_error_response(408, "BAD_REQUEST", error.message));
    } else if (error.code != base::Code::cancelled) {
        exchange_.answer(http::mlflow_error_response(400, "BAD_REQUEST", error.message));
    } else {
        exchange_.abort();
    }
}

}  // namespace mlflow
