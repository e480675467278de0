// One request on its way to MLflow and back.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/task.hpp"
#include "http/client_connection.hpp"
#include "http/exchange.hpp"
#include "mlflow/admission_gate.hpp"
#include "mlflow/gateway.hpp"
#include "mlflow/routes.hpp"
#include "net/deadline.hpp"
#include "resilience/circuit_breaker.hpp"
#include "telemetry/trace_context.hpp"

namespace mlflow {

// breaker -> body, if small -> gate -> connection -> request -> head of the answer (reported to the breaker) -> body.
class GatewayCall {
public:
    GatewayCall(Gateway& gateway, http::Exchange& exchange);
    GatewayCall(const GatewayCall&) = delete;
    GatewayCall& operator=(const GatewayCall&) = delete;

    base::Task<> run();

private:
    // Why an attempt ended before the client was sent anything.
    struct Failure {
        base::Error error;
        bool was_sent = false;   // MLflow may have acted on it
        bool was_begun = false;  // the answer had begun
        bool was_stale = false;  // a kept connection that had been closed meanwhile: says nothing about MLflow
    };

    [[nodiscard]] std::optional<http::Response> refuse_outright() const;
    base::Task<bool> read_small_body();
    base::Task<bool> take_place(resilience::Permit& permit);
    [[nodiscard]] bool ends_aborted(resilience::Permit& permit);
    [[nodiscard]] telemetry::Traceparent next_traceparent();
    base::Task<std::optional<Failure>> attempt(resilience::Permit& permit, http::ClientPool::Freshness freshness);
    base::Task<base::Result<void>> send_request(http::ClientConnection& connection);
    base::Task<base::Result<void>> stream_body(http::ClientConnection& connection, std::string& head);
    base::Task<> relay_answer(http::ClientConnection& connection,
                              const http::ResponseHead& head,
                              std::string_view piece);
    [[nodiscard]] std::string request_head();
    bool begin_client_answer(const http::ResponseHead& head);
    [[nodiscard]] bool may_retry(const Failure& failure);
    void report_failure(resilience::Permit& permit, const Failure& failure);
    void report_answer(resilience::Permit& permit, const http::ResponseHead& head, base::MonotonicTime sent_at);
    void answer_refusal(const resilience::Refusal& refusal);
    void answer_failure(const Failure& failure);
    void answer_broken_body(const base::Error& error);
    [[nodiscard]] http::Response unavailable(std::string_view message, base::Duration until_retry);

    Gateway& gateway_;
    Upstream& upstream_;
    http::Exchange& exchange_;
    const UpstreamCall call_;
    const bool is_safe_;  // may be repeated: GET and HEAD
    const bool is_small_;
    bool starts_trace_ = false;
    const telemetry::Traceparent traceparent_;
    http::ClientConnection* connection_ = nullptr;  // of the attempt in progress
    std::optional<AdmissionGate::Place> place_;
    AdmissionGate::Wait wait_;
    net::Deadline abort_check_;
    std::string small_body_;
    unsigned retries_ = 0;
    bool has_reopened_ = false;
};

}  // namespace mlflow
