// The parts of GatewayCall that move bytes. One buffer per direction: a piece is read, then written, so a slow side
// slows the other and memory stays fixed.
#include <array>
#include <iterator>
#include <utility>

#include "mlflow/gateway_call.hpp"
#include "mlflow/rewrite.hpp"
#include "telemetry/log.hpp"

#include <fmt/format.h>

namespace mlflow {

namespace {

boost::asio::const_buffer to_buffer(std::string_view text) {
    return {text.data(), text.size()};
}

}  // namespace

std::string GatewayCall::request_head() {
    std::string head;
    head.reserve(1024);
    RequestFacts facts;
    facts.target = call_.target;
    facts.request_id = exchange_.request_id();
    facts.traceparent = {traceparent_.data(), traceparent_.size()};
    facts.key_id = exchange_.caller.key_id;
    facts.key_name = exchange_.caller.key_name;
    facts.peer_address = exchange_.peer_text();
    facts.trusts_peer = gateway_.proxies_.contains(exchange_.peer());
    facts.starts_trace = starts_trace_;
    // With both fields, the key came as X-API-Key and Authorization is meant for MLflow.
    facts.is_authorization_ours =
        !exchange_.caller.key_id.empty() && !exchange_.request().fields.has(http::FieldName::x_api_key);
    append_upstream_head(head, exchange_.request(), facts, upstream_.rules);
    return head;
}

base::Task<base::Result<void>> GatewayCall::send_request(http::ClientConnection& connection) {
    std::string head = request_head();
    if (!is_small_) {
        base::Result<void> streamed = co_await stream_body(connection, head);
        co_return streamed;
    }
    const std::string_view body = body_ ? std::string_view(*body_) : std::string_view();
    const bool is_chunked = exchange_.request().framing.kind == http::Framing::Kind::chunked;
    if (is_chunked && !body.empty()) {
        fmt::format_to(std::back_inserter(head), "{:x}\r\n", body.size());
    }
    const std::string_view end = !is_chunked ? "" : body.empty() ? "0\r\n\r\n" : "\r\n0\r\n\r\n";
    const std::array<boost::asio::const_buffer, 3> parts{to_buffer(head), to_buffer(body), to_buffer(end)};
    base::Result<void> written = co_await connection.write(parts, upstream_.settings.body_idle_timeout);
    if (written) {
        connection.end_request();
    }
    co_return written;
}

base::Task<base::Result<void>> GatewayCall::stream_body(http::ClientConnection& connection, std::string& head) {
    const bool is_chunked = exchange_.request().framing.kind == http::Framing::Kind::chunked;
    // An upstream that refuses early (413, 401) ends the upload, on whichever side it waits.
    connection.watch_for_early_answer([this] { exchange_.interrupt_reading(); });
    base::Result<void> result =
        co_await connection.write(std::array{to_buffer(head)}, upstream_.settings.body_idle_timeout);
    head.clear();
    while (result) {
        const base::Result<std::string_view> piece = co_await exchange_.read_body();
        if (!piece) {
            if (!connection.has_early_answer()) {
                answer_broken_body(piece.error());
            }
            result = std::unexpected(piece.error());
            break;
        }
        const bool is_end = piece->empty();
        if (is_chunked) {
            head.append(is_end ? std::string("0\r\n\r\n") : fmt::format("{:x}\r\n", piece->size()));
        }
        const std::array<boost::asio::const_buffer, 3> parts{
            to_buffer(head), to_buffer(*piece), to_buffer(is_chunked && !is_end ? "\r\n" : "")};
        result = co_await connection.write(parts, upstream_.settings.body_idle_timeout);
        head.clear();
        if (result && is_end) {
            connection.end_request();
            break;
        }
        if (connection.has_early_answer()) {
            break;
        }
    }
    if (!connection.has_early_answer()) {
        connection.stop_watching();
    }
    if (!exchange_.is_body_complete()) {
        exchange_.close_after_answer();
    }
    co_return result;
}

// Appends what is still to come of an answer that is small.
base::Task<base::Result<void>> GatewayCall::keep_body(http::ClientConnection& connection, std::string& body) {
    while (!connection.is_body_complete()) {
        const base::Result<std::string_view> piece =
            co_await connection.read_body(upstream_.settings.body_idle_timeout);
        if (!piece) {
            co_return std::unexpected(piece.error());
        }
        body.append(*piece);
    }
    co_return base::Result<void>();
}

// True: the observer has answered the client in MLflow's place.
base::Task<bool> GatewayCall::tell_observer(const http::ResponseHead& head, std::string_view body) {
    if (observer_ == nullptr) {
        co_return false;
    }
    CallObserver& observer = *std::exchange(observer_, nullptr);
    // Not 500: a request of the client's own making can provoke one.
    if (head.status >= 502 && head.status <= 504) {
        const http::Response refusal = unavailable(fmt::format("MLflow answered {}", head.status), {});
        const bool is_answered = co_await observer.failed(refusal, call_.is_write());
        co_return is_answered;
    }
    co_await observer.answered(head.status, body);
    copy_ = observer.copy(head);
    co_return false;
}

// `piece` is the beginning of the body, or empty.
base::Task<> GatewayCall::relay_answer(http::ClientConnection& connection,
                                       const http::ResponseHead& head,
                                       std::string_view piece) {
    const bool is_chunked = begin_client_answer(head);
    std::string& output = exchange_.output();
    for (;;) {
        if (!piece.empty() && is_chunked) {
            fmt::format_to(std::back_inserter(output), "{:x}\r\n", piece.size());
        }
        const net::ErrorCode error = co_await exchange_.write(piece);
        if (error) {
            exchange_.abort();
            co_return;
        }
        output.append(!piece.empty() && is_chunked ? "\r\n" : "");
        if (copy_ != nullptr && !piece.empty()) {
            co_await copy_->append(piece);
        }
        const base::Result<std::string_view> next = co_await connection.read_body(upstream_.settings.body_idle_timeout);
        if (!next) {
            // The client must be able to tell that the answer was cut short, so the connection ends without its end.
            telemetry::log_warn("answer_cut_short",
                                {{"request_id", exchange_.request_id()}, {"error", next.error().message}});
            exchange_.cut_short();
            co_return;
        }
        piece = *next;
        if (piece.empty()) {
            break;
        }
    }
    if (copy_ != nullptr) {
        copy_->finish();
    }
    output.append(is_chunked ? "0\r\n\r\n" : "");
    const net::ErrorCode error = co_await exchange_.flush();
    if (error) {
        exchange_.abort();
    }
}

// Writes the head for the client; answers whether the body goes on in chunks.
bool GatewayCall::begin_client_answer(const http::ResponseHead& head) {
    const unsigned client_minor_version = exchange_.request().minor_version;
    const http::Framing framing = client_framing(head, client_minor_version);
    if (framing.kind == http::Framing::Kind::until_close) {
        exchange_.close_after_answer();
    }
    exchange_.begin_answer(head.status);
    const std::string cors_fields = exchange_.cors_fields();
    ResponseFacts facts;
    facts.request_id = exchange_.request_id();
    facts.cors_fields = cors_fields;
    facts.client_minor_version = client_minor_version;
    facts.will_close = exchange_.will_close();
    append_client_head(exchange_.output(), head, facts, upstream_.rules);
    return framing.kind == http::Framing::Kind::chunked;
}

}  // namespace mlflow
