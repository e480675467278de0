#include "mlflow/gateway_call.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "mlflow/outcome.hpp"
#include "mlflow/rewrite.hpp"
#include "net/use_task.hpp"
#include "resilience/backoff.hpp"

#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

namespace mlflow {

namespace {

// Bodies of known length up to this are read before MLflow is bothered, and sent with the head in one write.
constexpr std::uint64_t kSmallBody = 64UL * 1024;
constexpr resilience::BackoffSettings kRetryBackoff{std::chrono::milliseconds(50), std::chrono::seconds(1)};

// MLflow's server writes head and body apart; the head of a small answer waits for its body, so that both leave
// together.
bool is_head_held_for_body(const http::ResponseHead& head) {
    return head.framing.kind == http::Framing::Kind::length && head.framing.length <= kSmallBody;
}

bool has_small_body(const http::RequestHead& request) {
    return request.framing.kind == http::Framing::Kind::none ||
           (request.framing.kind == http::Framing::Kind::length && request.framing.length <= kSmallBody);
}

}  // namespace

GatewayCall::GatewayCall(Gateway& gateway,
                         http::Exchange& exchange,
                         CallObserver* observer,
                         std::optional<std::string> body)
    : gateway_(gateway),
      upstream_(gateway.upstream_),
      exchange_(exchange),
      call_(to_upstream(exchange.request())),
      is_safe_((exchange.request().method == http::Method::get || exchange.request().method == http::Method::head) &&
               exchange.request().framing.kind == http::Framing::Kind::none),
      is_small_(body || has_small_body(exchange.request())),
      may_share_(is_safe_ && exchange.request().method == http::Method::get && !call_.is_artifact()),
      observer_(observer),
      body_(std::move(body)),
      traceparent_(next_traceparent()),
      abort_check_(gateway.worker_.deadlines(), [this] { exchange_.watch_client(); }) {
    exchange_.on_abort([this] {
        wait_.cancel();
        follow_.cancel();
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
    if (!upstream_.rules.base_path.empty() && has_dot_segment(path)) {
        return http::mlflow_error_response(
            400, "BAD_REQUEST", "the path has '.' or '..' between slashes and could lead out of MLflow's base path");
    }
    return std::nullopt;
}

base::Task<> GatewayCall::run() {
    co_await forward();
    if (observer_ != nullptr) {
        co_await std::exchange(observer_, nullptr)->failed({}, was_sent_);
    }
}

base::Task<> GatewayCall::forward() {
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
            gateway_.metrics_.refused_by_breaker.add();
            co_await fail(to_response(permit.error()), false);
            co_return;
        }
        if (is_small_ && !body_) {
            const bool is_read = co_await read_small_body();
            if (!is_read) {
                permit->report(resilience::Outcome::cancelled, worker.now());
                co_return;
            }
        }
        if (!place_) {
            const Turn turn = co_await take_place(*permit);
            if (turn == Turn::over) {
                co_return;
            }
            if (turn == Turn::start_over) {
                continue;
            }
        }
        const std::optional<Failure> failure = co_await attempt(*permit, freshness);
        connection_ = nullptr;
        if (!failure) {
            co_return;
        }
        if (!may_retry(*failure)) {
            co_await answer_failure(*failure);
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

base::Task<bool> GatewayCall::read_small_body() {
    base::Result<std::string> body = co_await exchange_.read_whole_body(kSmallBody);
    if (!body) {
        answer_broken_body(body.error());
        co_return false;
    }
    body_ = std::move(*body);
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
    if (lead_) {
        lead_->close();
    }
    const base::MonotonicTime sent_at = worker.now();
    const base::Result<void> sent = co_await send_request(connection);
    if (exchange_.answered_status() != 0 || (!sent && exchange_.is_aborted())) {
        // The client's own body failed it, or it went away.
        permit.report(resilience::Outcome::cancelled, worker.now());
        gateway_.metrics_.cancelled.add();
        co_return std::nullopt;
    }
    was_sent_ = connection.has_sent();
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
    std::string kept;
    if (piece && is_head_held_for_body(**head) && (observer_ != nullptr || (lead_ && lead_->has_followers()))) {
        kept = *piece;
        const base::Result<void> rest = co_await keep_body(connection, kept);
        piece = rest ? base::Result<std::string_view>(kept) : std::unexpected(rest.error());
    }
    if (!piece) {
        const Failure failure{.error = piece.error(), .was_sent = true, .was_begun = true};
        report_failure(permit, failure);
        co_return failure;
    }
    report_answer(permit, **head, sent_at);
    const bool is_answered_otherwise = co_await tell_observer(**head, kept);
    if (is_answered_otherwise) {
        co_return std::nullopt;
    }
    if (lead_ && connection.is_body_complete() && !(*head)->fields.find("Set-Cookie")) {
        lead_->share(**head, kept);
    }
    lead_.reset();
    co_await relay_answer(connection, **head, *piece);
    if (!exchange_.is_aborted()) {
        gateway_.pool_.release(std::move(*acquired));
    }
    co_return std::nullopt;
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

}  // namespace mlflow
