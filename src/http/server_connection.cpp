#include "http/server_connection.hpp"

#include <array>
#include <exception>
#include <utility>

#include "telemetry/log.hpp"

#include <boost/asio/error.hpp>

namespace http {

namespace {

// A refused body of at most this size is read and dropped, so that the connection can be kept.
constexpr std::size_t kMaxDrainedBytes = 64UL * 1024;
constexpr auto kDrainTime = std::chrono::seconds(5);
constexpr auto kLingerTime = std::chrono::seconds(2);
constexpr auto kLingerTimeWhenDraining = std::chrono::milliseconds(200);
constexpr auto kReservedHeaderTime = std::chrono::seconds(2);
// Of a client that sends requests ahead; then the worker's other connections have their turn.
constexpr unsigned kMaxRequestsInARow = 4;

unsigned status_of(const base::Error& error) {
    return error.code == base::Code::exhausted ? 431 : 400;
}

}  // namespace

ServerConnection::ServerConnection(ServerContext& context,
                                   std::unique_ptr<net::Stream> stream,
                                   boost::asio::ip::address peer,
                                   bool is_reserved)
    : context_(context),
      exchange_(context, std::move(stream), std::move(peer)),
      place_(context.exchanges.insert(context.exchanges.end(), &exchange_)) {
    exchange_.is_reserved_ = is_reserved;
}

ServerConnection::~ServerConnection() {
    context_.exchanges.erase(place_);
    context_.open_connections.fetch_sub(1, std::memory_order_relaxed);
}

base::Task<> ServerConnection::run() {
    // A new connection has to speak soon; later ones may rest between requests.
    base::Duration patience = header_time();
    unsigned requests_in_a_row = 0;
    for (;;) {
        const bool has_request = co_await read_head(patience);
        patience = context_.settings.idle_timeout;
        if (!has_request) {
            break;
        }
        const base::MonotonicTime started_at = context_.worker.now();
        co_await answer_request();
        const net::ErrorCode error = co_await exchange_.flush();
        context_.handler->finished(exchange_, context_.worker.now() - started_at);
        if (error || exchange_.is_aborted_) {
            co_return;
        }
        if (exchange_.will_close()) {
            break;
        }
        const bool is_drained = co_await drain_body();
        if (!is_drained) {
            break;
        }
        if (!exchange_.input_.bytes().empty() && ++requests_in_a_row == kMaxRequestsInARow) {
            requests_in_a_row = 0;
            co_await net::resume_on(context_.worker);
        }
    }
    co_await linger();
}

base::Duration ServerConnection::header_time() const {
    return exchange_.is_reserved_ ? kReservedHeaderTime : context_.settings.header_timeout;
}

base::Task<bool> ServerConnection::read_head(base::Duration patience) {
    exchange_.parser_.start();
    exchange_.is_idle_ = true;
    base::MonotonicTime limit = context_.worker.now() + patience;
    for (;;) {
        const std::string_view bytes = exchange_.input_.bytes();
        if (!bytes.empty()) {
            if (std::exchange(exchange_.is_idle_, false)) {
                limit = context_.worker.now() + header_time();
            }
            const base::Result<ParseStep> step = exchange_.parser_.parse(bytes);
            if (!step) {
                refuse(step.error());
                co_return false;
            }
            exchange_.input_.consume(step->consumed);
            if (step->event == ParseStep::Event::head) {
                exchange_.deadline_.clear();
                exchange_.start_request();
                co_return true;
            }
        }
        if (exchange_.is_idle_) {
            if (context_.is_draining) {
                co_return false;
            }
            exchange_.begin_rest();
        }
        const net::ErrorCode error = co_await exchange_.fill_input(limit);
        if (error) {
            if (exchange_.deadline_.has_expired() && !exchange_.is_idle_ && !exchange_.is_aborted_) {
                refuse({base::Code::deadline_exceeded, "the request head did not arrive in time"});
            }
            co_return false;
        }
    }
}

void ServerConnection::refuse(const base::Error& error) {
    // The head may be incomplete, so this answer is made without it.
    const unsigned status = error.code == base::Code::deadline_exceeded ? 408 : status_of(error);
    const Response response = detail_response(status, error.message);
    exchange_.output_.append("HTTP/1.1 " + std::to_string(status) + " " + std::string(reason_phrase(status)) +
                             "\r\nDate: " + context_.http_date() + "\r\nContent-Type: application/json\r\n" +
                             "Content-Length: " + std::to_string(response.body.size()) +
                             "\r\nConnection: close\r\n\r\n" + response.body);
}

base::Task<> ServerConnection::answer_request() {
    if (exchange_.is_reserved_ && !context_.handler->is_health(exchange_.request())) {
        Response busy = detail_response(503, "too many connections; try again shortly");
        busy.headers.emplace_back("Retry-After", "5");
        exchange_.answer(busy);
        co_return;
    }
    std::exception_ptr failure;
    try {
        if (context_.handler->try_answer(exchange_)) {
            co_return;
        }
        co_await context_.handler->handle(exchange_);
    } catch (const std::exception& error) {
        failure = std::current_exception();
        telemetry::log_error(
            "request_failed",
            {{"request_id", exchange_.request_id()}, {"path", exchange_.request().path}, {"error", error.what()}});
    }
    exchange_.stop_watching();
    if (exchange_.answered_status() == 0 && !exchange_.is_aborted()) {
        Response response = detail_response(
            500, "internal error; quote request id " + std::string(exchange_.request_id()) + " to the operator");
        response.close = true;
        exchange_.answer(response);
    } else if (failure) {
        exchange_.close_after_answer();
    }
}

base::Task<bool> ServerConnection::drain_body() {
    std::size_t drained = 0;
    const base::MonotonicTime limit = context_.worker.now() + kDrainTime;
    while (!exchange_.is_body_complete()) {
        const base::Result<std::string_view> piece = co_await exchange_.read_body_within(limit - context_.worker.now());
        drained += piece ? piece->size() : 0;
        if (!piece || drained > kMaxDrainedBytes) {
            co_return false;
        }
    }
    exchange_.input_.consume(std::exchange(exchange_.pending_consume_, 0));
    co_return true;
}

// Ends our side first and reads what is still coming, so that the kernel does not reset the connection while the client
// has not yet read the answer (RFC 9112, section 9.6).
base::Task<> ServerConnection::linger() {
    net::ErrorCode error = co_await exchange_.flush();
    if (error || exchange_.is_aborted_) {
        co_return;
    }
    exchange_.stream_->shutdown_send();
    const base::MonotonicTime limit =
        context_.worker.now() + (context_.is_draining ? base::Duration(kLingerTimeWhenDraining) : kLingerTime);
    std::size_t dropped = 0;
    while (!error && dropped < 16 * kMaxDrainedBytes) {
        exchange_.input_.consume(exchange_.input_.bytes().size());
        error = co_await exchange_.fill_input(limit);
        dropped += exchange_.input_.bytes().size();
    }
}

}  // namespace http
