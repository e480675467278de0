#include "http/exchange.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/ensure.hpp"
#include "base/strings.hpp"
#include "net/use_task.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

namespace http {

namespace {

constexpr auto kLongRest = std::chrono::seconds(1);
// Acknowledgements come within a round trip, or 40 ms later when the client's kernel delays them.
constexpr base::Duration kFirstLookAtDelivery = std::chrono::milliseconds(1);
constexpr base::Duration kLongestStepToDelivery = std::chrono::milliseconds(50);
constexpr std::size_t kInputLimit = 64UL * 1024;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// A client's own id is kept when it is short and harmless in a log.
bool is_acceptable_request_id(std::string_view id) {
    return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == '.';
    });
}

base::Error broken_body(const net::ErrorCode& error, bool has_timed_out) {
    if (has_timed_out) {
        return {base::Code::deadline_exceeded, "the request body stalled"};
    }
    return {base::Code::cancelled, "the client went away while sending the body: " + error.message()};
}

}  // namespace

Exchange::Exchange(ServerContext& context, std::unique_ptr<net::Stream> stream, boost::asio::ip::address peer)
    : context_(context),
      stream_(std::move(stream)),
      peer_(std::move(peer)),
      peer_text_(peer_.to_string()),
      deadline_(context.worker.deadlines(), [this] { stream_->cancel(); }),
      release_buffers_(context.worker.deadlines(), [this] { release_buffers(); }),
      input_(std::max(kInputLimit, context.settings.limits.max_head_bytes + 1)),
      parser_(context.settings.limits) {}

Exchange::~Exchange() {
    stop_watching();
}

void Exchange::start_request() {
    const RequestHead& head = parser_.head();
    const auto id = head.fields.find(FieldName::x_request_id);
    if (id && is_acceptable_request_id(*id)) {
        request_id_ = *id;
    } else {
        context_.next_request_id(request_id_);
    }
    is_body_complete_ = head.framing.kind == Framing::Kind::none;
    is_continue_due_ =
        !is_body_complete_ && head.minor_version > 0 && head.fields.lists(FieldName::expect, "100-continue");
    answered_status_ = 0;
    must_close_ = false;
    caller = {};
    route = nullptr;
    is_authorized = false;
    allowed_origin.clear();
    unread_body_.clear();
    if (!read_again_.empty()) {
        std::string().swap(read_again_);
    }
}

base::Task<net::ErrorCode> Exchange::fill_input(base::MonotonicTime limit) {
    deadline_.set(limit);
    net::IoResult result{0, boost::asio::error::would_block};
    while (net::would_block(result.error)) {
        if (is_aborted_ || deadline_.has_expired()) {
            co_return boost::asio::error::operation_aborted;
        }
        const net::ErrorCode error = co_await stream_->wait(net::Interest::readable);
        if (error) {
            co_return error;
        }
        result = stream_->try_read(input_.prepare());
    }
    deadline_.clear();
    input_.commit(result.bytes);
    co_return result.error;
}

base::Result<bool> Exchange::step_body(std::string_view& piece) {
    input_.consume(std::exchange(pending_consume_, 0));
    if (is_body_complete_) {
        return true;
    }
    const base::Result<ParseStep> step = parser_.parse(input_.bytes());
    if (!step) {
        must_close_ = true;
        return std::unexpected(step.error());
    }
    switch (step->event) {
        case ParseStep::Event::body:
            piece = step->body;
            pending_consume_ = step->consumed;
            return true;
        case ParseStep::Event::end:
            is_body_complete_ = true;
            input_.consume(step->consumed);
            return true;
        case ParseStep::Event::head:
        case ParseStep::Event::need_more:
            break;
    }
    input_.consume(step->consumed);
    return false;
}

base::Task<base::Result<std::string_view>> Exchange::read_body() {
    if (!unread_body_.empty()) {
        read_again_ = std::exchange(unread_body_, {});
        co_return std::string_view(read_again_);
    }
    co_return co_await read_body_within(context_.settings.body_idle_timeout);
}

base::Task<base::Result<std::string_view>> Exchange::read_body_within(base::Duration patience) {
    for (;;) {
        std::string_view piece;
        const base::Result<bool> has_result = step_body(piece);
        if (!has_result) {
            co_return std::unexpected(has_result.error());
        }
        if (*has_result) {
            co_return piece;
        }
        if (std::exchange(is_continue_due_, false)) {
            output_.append(kContinue);
            const net::ErrorCode error = co_await flush();
            if (error) {
                co_return std::unexpected(broken_body(error, false));
            }
        }
        const net::ErrorCode error = co_await fill_input(context_.worker.now() + patience);
        if (error) {
            must_close_ = true;
            co_return std::unexpected(broken_body(error, deadline_.has_expired()));
        }
    }
}

base::Task<base::Result<std::string>> Exchange::read_whole_body(std::size_t limit) {
    std::string body;
    for (;;) {
        const base::Result<std::string_view> piece = co_await read_body();
        if (!piece) {
            co_return std::unexpected(piece.error());
        }
        if (piece->empty()) {
            co_return body;
        }
        if (body.size() + piece->size() > limit) {
            must_close_ = true;
            co_return base::fail(base::Code::exhausted, fmt::format("the request body is larger than {} bytes", limit));
        }
        body.append(*piece);
    }
}

bool Exchange::will_close() const {
    return must_close_ || is_reserved_ || context_.is_draining || !parser_.head().is_keep_alive;
}

void Exchange::begin_answer(unsigned status) {
    ENSURE(answered_status_ == 0, "a request is answered once");
    answered_status_ = status;
    if (!is_body_complete_ && is_continue_due_) {
        // The client may or may not send the body it announced; only a new connection is unambiguous.
        must_close_ = true;
    }
}

base::Task<net::ErrorCode> Exchange::write(std::string_view piece) {
    net::UnsentBuffers unsent(std::array<boost::asio::const_buffer, 2>{
        boost::asio::buffer(output_), boost::asio::const_buffer(piece.data(), piece.size())});
    net::ErrorCode error = is_aborted_ ? boost::asio::error::operation_aborted : net::ErrorCode{};
    while (!error && !unsent.is_empty()) {
        const net::IoResult result = stream_->try_write(unsent.rest());
        unsent.consume(result.bytes);
        error = result.error;
        if (net::would_block(error)) {
            // The limit is between pieces that the client takes, so a slow reader may take as long as it goes on
            // reading.
            deadline_.set(context_.worker.now() + context_.settings.body_idle_timeout);
            error = co_await stream_->wait(net::Interest::writable);
            if (is_aborted_ || deadline_.has_expired()) {
                error = boost::asio::error::operation_aborted;
            }
            if (deadline_.has_expired()) {
                // What the kernel still holds for a client that takes nothing would stay there for minutes.
                stream_->reset_when_closed();
            }
        }
    }
    deadline_.clear();
    output_.clear();
    co_return error;
}

base::Task<bool> Exchange::deliver(base::MonotonicTime limit) {
    const net::ErrorCode error = co_await flush();
    boost::asio::steady_timer pause(context_.worker.context());
    base::Duration step = kFirstLookAtDelivery;
    while (!error && !is_aborted_) {
        if (stream_->is_acknowledged()) {
            co_return true;
        }
        if (context_.worker.now() >= limit) {
            break;
        }
        if (stream_->has_peer_closed()) {
            // What it acknowledged before may be on its way.
            limit = std::min(limit, context_.worker.now() + kLongestStepToDelivery);
        }
        pause.expires_after(step);
        co_await pause.async_wait(net::use_task);
        step = std::min(2 * step, kLongestStepToDelivery);
    }
    co_return false;
}

std::string Exchange::cors_fields() const {
    if (allowed_origin.empty()) {
        return {};
    }
    return fmt::format("Access-Control-Allow-Origin: {}\r\nAccess-Control-Allow-Credentials: true\r\nVary: Origin\r\n",
                       allowed_origin);
}

void Exchange::answer(const Response& response) {
    answer_head(response, response.body.size());
    if (parser_.head().method != Method::head) {
        output_.append(response.body);
    }
}

void Exchange::answer_head(const Response& response, std::uint64_t size) {
    begin_answer(response.status);
    if (response.close) {
        must_close_ = true;
    }
    if (!is_body_complete_) {
        // Cheap when the rest is buffered; otherwise the server drains a little or closes.
        must_close_ = must_close_ || parser_.head().framing.kind == Framing::Kind::chunked ||
                      parser_.head().framing.length > kInputLimit;
    }
    output_.append("HTTP/1.1 ");
    base::append_decimal(output_, response.status);
    output_.append(" ").append(reason_phrase(response.status));
    output_.append("\r\nDate: ").append(context_.http_date());
    output_.append("\r\nX-Request-Id: ").append(request_id_).append("\r\n");
    output_.append(cors_fields());
    for (const auto& [name, value] : response.headers) {
        output_.append(name).append(": ").append(value).append("\r\n");
    }
    if (!response.content_type.empty()) {
        output_.append("Content-Type: ").append(response.content_type).append("\r\n");
    }
    if (response.status >= 200 && response.status != 204 && response.status != 304) {
        output_.append("Content-Length: ");
        base::append_decimal(output_, size);
        output_.append("\r\n");
    }
    if (will_close()) {
        output_.append("Connection: close\r\n");
    } else if (parser_.head().minor_version == 0) {
        output_.append("Connection: keep-alive\r\n");
    }
    output_.append("\r\n");
}

void Exchange::on_abort(std::function<void()> on_abort) {
    on_abort_ = std::move(on_abort);
}

void Exchange::watch_client() {
    if (stream_->has_peer_closed()) {
        abort();
        return;
    }
    if (watch_ || stream_->is_readable_now()) {
        return;  // a pipelined request hides a later end; the answer's write will find it
    }
    watch_ = std::make_shared<Watch>(Watch{this});
    stream_->notify_readable([watch = watch_](bool is_cancelled) {
        Exchange* exchange = watch->exchange;
        if (exchange == nullptr || is_cancelled) {
            return;
        }
        exchange->watch_.reset();
        if (exchange->stream_->has_peer_closed()) {
            exchange->abort();
        }
    });
}

void Exchange::stop_watching() {
    on_abort_ = nullptr;
    if (watch_) {
        watch_->exchange = nullptr;
        watch_.reset();
        stream_->cancel();
    }
}

void Exchange::cut_short() {
    // An HTTP/1.0 client takes an orderly end for the end of the body.
    if (parser_.head().minor_version == 0) {
        stream_->reset_when_closed();
    }
    abort();
}

void Exchange::begin_rest() {
    release_buffers_.set(context_.worker.now() + kLongRest);
}

void Exchange::release_buffers() {
    if (is_idle_) {
        input_.release_if_empty();
        output_.shrink_to_fit();
    }
}

void Exchange::abort() {
    is_aborted_ = true;
    stream_->cancel();
    if (on_abort_) {
        std::exchange(on_abort_, nullptr)();
    }
}

}  // namespace http
