// One connection of a client and the request being answered on it: what handlers read from and write to.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/task.hpp"
#include "http/buffers.hpp"
#include "http/caller.hpp"
#include "http/message.hpp"
#include "http/message_parser.hpp"
#include "http/server_context.hpp"
#include "net/deadline.hpp"
#include "net/stream.hpp"

#include <boost/asio/ip/address.hpp>

namespace http {

struct RouteEntry;  // the router's own

// Lives on one worker, reused for request after request of its connection. Views of the request end when the handler
// returns.
class Exchange {
public:
    Exchange(ServerContext& context, std::unique_ptr<net::Stream> stream, boost::asio::ip::address peer);
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;
    ~Exchange();

    [[nodiscard]] const RequestHead& request() const {
        return parser_.head();
    }

    [[nodiscard]] ServerContext& context() {
        return context_;
    }

    [[nodiscard]] const boost::asio::ip::address& peer() const {
        return peer_;
    }

    // The same for headers and logs, made once a connection.
    [[nodiscard]] std::string_view peer_text() const {
        return peer_text_;
    }

    [[nodiscard]] std::string_view request_id() const {
        return request_id_;
    }

    Caller caller;
    const RouteEntry* route = nullptr;
    bool is_authorized = false;  // the router's own: the caller may do what the request asks for
    std::string allowed_origin;  // a page of another, listed origin asks: the answer must say that it may read it

    // --- request body

    [[nodiscard]] bool is_body_complete() const {
        return is_body_complete_;
    }

    // The next piece, valid until the next call; empty when the body is complete. Sends 100 Continue first if the
    // client waits for it. Code::deadline_exceeded when the client stalls, Code::cancelled when it goes away,
    // Code::invalid_argument when malformed.
    base::Task<base::Result<std::string_view>> read_body();

    // Ends a read_body() that waits, with Code::cancelled.
    void interrupt_reading() {
        stream_->cancel();
    }

    // All of it; Code::exhausted past `limit` bytes.
    base::Task<base::Result<std::string>> read_whole_body(std::size_t limit);

    // The body that was read whole, for the next one who reads it.
    void unread_body(std::string body) {
        unread_body_ = std::move(body);
    }

    // --- answer

    // Bytes to send with the next flush() or write(); append a head here after begin_answer().
    [[nodiscard]] std::string& output() {
        return output_;
    }

    void begin_answer(unsigned status);

    // Sends output() and then `piece`.
    base::Task<net::ErrorCode> write(std::string_view piece);

    base::Task<net::ErrorCode> flush() {
        return write({});
    }

    // Sends output() and waits until the client has acknowledged all of the answer: false when the connection ends, or
    // `limit` comes, before that.
    base::Task<bool> deliver(base::MonotonicTime limit);

    // For heads written by hand: the lines a page of a listed origin needs to see; else empty.
    [[nodiscard]] std::string cors_fields() const;

    // Queues a complete answer of ours; the server sends it.
    void answer(const Response& response);

    // The same for one whose body of `size` bytes follows by write(), unless HEAD was asked.
    void answer_head(const Response& response, std::uint64_t size);

    [[nodiscard]] unsigned answered_status() const {
        return answered_status_;  // 0: not yet
    }

    // The connection can't carry another request: the body was not read, or the answer was cut short.
    void close_after_answer() {
        must_close_ = true;
    }

    [[nodiscard]] bool will_close() const;

    // --- a client that goes away, or a server that shuts down, while the handler waits for something else

    // `on_abort` runs on the worker, at most once, until the handler returns.
    void on_abort(std::function<void()> on_abort);

    // Starts to watch the client; worth its two system calls once an answer takes long.
    void watch_client();
    void stop_watching();

    // Whether the connection is one beyond the limit, for health only.
    [[nodiscard]] bool is_reserved() const {
        return is_reserved_;
    }

    [[nodiscard]] bool is_aborted() const {
        return is_aborted_;
    }

    void abort();

    // The answer begun can't be completed: ends the connection so that the client can tell.
    void cut_short();

    // Whether the client ended the connection, asked of the kernel.
    [[nodiscard]] bool has_client_left() {
        return stream_->has_peer_closed();
    }

    // Ends the connection if it waits for a next request.
    void end_if_idle() {
        if (is_idle_) {
            stream_->cancel();
        }
    }

private:
    friend class ServerConnection;

    struct Watch {
        Exchange* exchange;
    };

    base::Task<net::ErrorCode> fill_input(base::MonotonicTime limit);
    base::Task<base::Result<std::string_view>> read_body_within(base::Duration patience);
    void begin_rest();
    void release_buffers();
    base::Result<bool> step_body(std::string_view& piece);
    void start_request();

    ServerContext& context_;
    std::unique_ptr<net::Stream> stream_;
    boost::asio::ip::address peer_;
    std::string peer_text_;
    net::Deadline deadline_;
    net::Deadline release_buffers_;  // of a connection that rests for long, so that idle ones are cheap
    InputBuffer input_;
    RequestParser parser_;
    std::string output_;
    std::string unread_body_;
    std::string read_again_;  // the piece of it last handed out
    std::string request_id_;
    std::function<void()> on_abort_;
    std::shared_ptr<Watch> watch_;
    std::size_t pending_consume_ = 0;  // of the piece last handed out
    unsigned answered_status_ = 0;
    bool is_body_complete_ = true;
    bool is_continue_due_ = false;
    bool must_close_ = false;
    bool is_aborted_ = false;
    bool is_idle_ = true;
    bool is_reserved_ = false;  // beyond the connection limit: health only
};

}  // namespace http
