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
#include "mlflow/call_observer.hpp"
#include "mlflow/coalescer.hpp"
#include "mlflow/gateway.hpp"
#include "mlflow/routes.hpp"
#include "net/deadline.hpp"
#include "resilience/circuit_breaker.hpp"
#include "telemetry/trace_context.hpp"

namespace mlflow {

// breaker -> body, if small -> gate -> connection -> request -> head of the answer (reported to the breaker) -> body.
// A read that has to wait for its place joins an equal one that waits, if there is one.
class GatewayCall {
public:
    // How long a call waits before it is worth two system calls to watch whether its client leaves.
    static constexpr auto kAbortCheckDelay = std::chrono::seconds(1);

    // `observer` may be null. `body`: of the request, read already; else it is read here.
    GatewayCall(Gateway& gateway,
                http::Exchange& exchange,
                CallObserver* observer = nullptr,
                std::optional<std::string> body = std::nullopt);
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

    enum class Turn { taken, start_over, over };

    base::Task<> forward();
    [[nodiscard]] std::optional<http::Response> refuse_outright() const;
    base::Task<bool> read_small_body();
    base::Task<Turn> take_place(resilience::Permit& permit);
    base::Task<Turn> follow(const std::string& key, resilience::Permit& permit);
    [[nodiscard]] bool ends_aborted(resilience::Permit& permit);
    [[nodiscard]] telemetry::Traceparent next_traceparent();
    base::Task<std::optional<Failure>> attempt(resilience::Permit& permit, http::ClientPool::Freshness freshness);
    base::Task<base::Result<void>> send_request(http::ClientConnection& connection);
    base::Task<base::Result<void>> stream_body(http::ClientConnection& connection, std::string& head);
    base::Task<base::Result<void>> keep_body(http::ClientConnection& connection, std::string& body);
    base::Task<bool> tell_observer(const http::ResponseHead& head, std::string_view body);
    base::Task<> relay_answer(http::ClientConnection& connection,
                              const http::ResponseHead& head,
                              std::string_view piece);
    [[nodiscard]] std::string request_head();
    bool begin_client_answer(const http::ResponseHead& head);
    [[nodiscard]] bool may_retry(const Failure& failure);
    void report_failure(resilience::Permit& permit, const Failure& failure);
    void report_answer(resilience::Permit& permit, const http::ResponseHead& head, base::MonotonicTime sent_at);
    base::Task<> fail(http::Response refusal, bool may_have_been_carried_out);
    [[nodiscard]] http::Response to_response(const resilience::Refusal& refusal);
    base::Task<> answer_failure(const Failure& failure);
    void answer_broken_body(const base::Error& error);
    [[nodiscard]] http::Response unavailable(std::string_view message, base::Duration until_retry);
    [[nodiscard]] http::Response out_of_reach(std::string_view message, base::Duration until_retry);

    Gateway& gateway_;
    Upstream& upstream_;
    http::Exchange& exchange_;
    const UpstreamCall call_;
    const bool is_safe_;  // may be repeated: GET and HEAD
    const bool is_small_;
    bool may_share_;
    CallObserver* observer_;           // null once told
    AnswerCopy* copy_ = nullptr;       // of the answer being passed on, if one is wanted
    std::optional<std::string> body_;  // of the request, if small, once read
    bool was_sent_ = false;            // MLflow may have got the whole call
    bool starts_trace_ = false;
    const telemetry::Traceparent traceparent_;
    http::ClientConnection* connection_ = nullptr;  // of the attempt in progress
    std::optional<AdmissionGate::Place> place_;
    AdmissionGate::Wait wait_;
    std::optional<base::MonotonicTime> give_up_at_;
    std::optional<Coalescer::Lead> lead_;
    Coalescer::Wait follow_;
    net::Deadline abort_check_;
    unsigned retries_ = 0;
    bool has_reopened_ = false;
};

}  // namespace mlflow
