#include "http/client_connection.hpp"

#include <utility>

#include <boost/asio/error.hpp>

namespace http {

namespace {

constexpr std::size_t kAnswerBufferLimit = 64UL * 1024;
constexpr unsigned kSwitchingProtocols = 101;

}  // namespace

ClientConnection::ClientConnection(net::Worker& worker, std::unique_ptr<net::Stream> stream, ParserLimits limits)
    : worker_(worker),
      stream_(std::move(stream)),
      deadline_(worker.deadlines(), [this] { stream_->cancel(); }),
      input_(std::max(kAnswerBufferLimit, limits.max_head_bytes + 1)),
      parser_(limits) {}

ClientConnection::~ClientConnection() {
    stop_watching();
}

base::Error ClientConnection::to_error(const net::ErrorCode& error) const {
    if (is_cancelled_) {
        return {base::Code::cancelled, "the exchange was ended"};
    }
    if (deadline_.has_expired()) {
        return {base::Code::deadline_exceeded, "the upstream did not answer in time"};
    }
    if (error == boost::asio::error::eof) {
        return {base::Code::unavailable, "the upstream closed the connection"};
    }
    return {base::Code::unavailable, "the connection to the upstream broke: " + error.message()};
}

base::Task<base::Result<void>> ClientConnection::write(std::span<const boost::asio::const_buffer> buffers,
                                                       base::Duration limit) {
    net::UnsentBuffers unsent(buffers);
    while (!unsent.is_empty()) {
        net::IoResult result = stream_->try_write(unsent.rest());
        if (net::would_block(result.error) && !is_cancelled_ && !has_early_answer_) {
            deadline_.set(worker_.now() + limit);
            result.error = co_await stream_->wait(net::Interest::writable);
        }
        if (result.error && !net::would_block(result.error)) {
            is_broken_ = true;
            co_return std::unexpected(to_error(result.error));
        }
        if (result.error) {
            is_broken_ = true;
            co_return base::fail(base::Code::cancelled, "the upstream answered before the request was complete");
        }
        has_sent_ = has_sent_ || result.bytes > 0;
        unsent.consume(result.bytes);
    }
    deadline_.clear();
    co_return base::Result<void>{};
}

base::Task<base::Result<void>> ClientConnection::fill() {
    net::IoResult result{0, boost::asio::error::would_block};
    while (net::would_block(result.error)) {
        if (is_cancelled_ || deadline_.has_expired()) {
            is_broken_ = true;
            co_return std::unexpected(to_error({}));
        }
        if (was_short_read_ && has_received_) {
            stream_->acknowledge_now();
        }
        const net::ErrorCode error = co_await stream_->wait(net::Interest::readable);
        if (error) {
            is_broken_ = true;
            co_return std::unexpected(to_error(error));
        }
        const boost::asio::mutable_buffer room = input_.prepare();
        result = stream_->try_read(room);
        was_short_read_ = result.bytes < room.size();
    }
    if (result.error) {
        is_broken_ = true;
        if (result.error == boost::asio::error::eof && parser_.finish_at_close()) {
            is_complete_ = true;
            co_return base::Result<void>{};
        }
        co_return std::unexpected(to_error(result.error));
    }
    has_received_ = true;
    input_.commit(result.bytes);
    co_return base::Result<void>{};
}

base::Result<ParseStep> ClientConnection::step() {
    input_.consume(std::exchange(pending_consume_, 0));
    const base::Result<ParseStep> result = parser_.parse(input_.bytes());
    if (!result) {
        is_broken_ = true;
        return base::fail(base::Code::data_loss, "the upstream's answer cannot be trusted: " + result.error().message);
    }
    if (result->event == ParseStep::Event::body) {
        pending_consume_ = result->consumed;
    } else {
        input_.consume(result->consumed);
    }
    return result;
}

base::Task<base::Result<const ResponseHead*>> ClientConnection::read_head(Method method, base::MonotonicTime limit) {
    parser_.start(method);
    is_complete_ = has_received_ = was_short_read_ = false;
    deadline_.set(limit);
    for (;;) {
        if (!input_.bytes().empty()) {
            const base::Result<ParseStep> result = step();
            if (!result) {
                co_return std::unexpected(result.error());
            }
            if (result->event == ParseStep::Event::head && parser_.head().status >= 200) {
                deadline_.clear();
                is_complete_ = parser_.head().framing.kind == Framing::Kind::none;
                co_return &parser_.head();
            }
            if (result->event == ParseStep::Event::head && parser_.head().status == kSwitchingProtocols) {
                is_broken_ = true;
                co_return base::fail(base::Code::data_loss,
                                     "the upstream switched protocols, which nobody had asked for");
            }
            if (result->event == ParseStep::Event::head) {
                parser_.start(method);
                continue;
            }
        }
        const base::Result<void> filled = co_await fill();
        if (!filled) {
            co_return std::unexpected(filled.error());
        }
    }
}

base::Result<std::string_view> ClientConnection::read_buffered_body() {
    while (!is_complete_) {
        const base::Result<ParseStep> result = step();
        if (!result) {
            return std::unexpected(result.error());
        }
        if (result->event == ParseStep::Event::body) {
            return result->body;
        }
        if (result->event == ParseStep::Event::end) {
            is_complete_ = true;
            break;
        }
        break;
    }
    return std::string_view();
}

base::Task<base::Result<std::string_view>> ClientConnection::read_body(base::Duration limit) {
    for (;;) {
        const base::Result<std::string_view> piece = read_buffered_body();
        if (!piece || !piece->empty() || is_complete_) {
            co_return piece;
        }
        deadline_.set(worker_.now() + limit);
        const base::Result<void> filled = co_await fill();
        deadline_.clear();
        if (!filled) {
            co_return std::unexpected(filled.error());
        }
    }
}

bool ClientConnection::is_reusable() const {
    return is_request_complete_ && is_complete_ && !is_broken_ && !is_cancelled_ &&
           input_.bytes().size() == pending_consume_ && parser_.head().is_keep_alive;
}

void ClientConnection::watch_for_early_answer(std::function<void()> on_answer) {
    watch_ = std::make_shared<Watch>(Watch{this, std::move(on_answer)});
    arm(watch_);
}

void ClientConnection::arm(const std::shared_ptr<Watch>& watch) {
    watch->connection->stream_->notify_readable([watch](bool is_cancelled) {
        ClientConnection* connection = watch->connection;
        if (connection == nullptr || is_cancelled) {
            return;
        }
        // A TLS upstream may send session tickets, which are no answer.
        if (!connection->stream_->is_readable_now()) {
            arm(watch);
            return;
        }
        connection->has_early_answer_ = true;
        connection->stream_->cancel();
        watch->on_answer();
    });
}

void ClientConnection::start_request() {
    is_request_complete_ = has_sent_ = is_complete_ = has_received_ = has_early_answer_ = false;
    ++exchanges_;
}

void ClientConnection::stop_watching() {
    if (watch_) {
        watch_->connection = nullptr;
        watch_.reset();
        stream_->cancel();
    }
}

void ClientConnection::cancel() {
    is_cancelled_ = true;
    stream_->cancel();
}

}  // namespace http
