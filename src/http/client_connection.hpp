// One connection to an upstream and the exchange in progress on it.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "base/error.hpp"
#include "base/task.hpp"
#include "http/buffers.hpp"
#include "http/message_parser.hpp"
#include "net/deadline.hpp"
#include "net/stream.hpp"
#include "net/worker.hpp"

#include <boost/asio/buffer.hpp>

namespace http {

// Lives on one worker. Errors are deadline_exceeded (the limit given passed), cancelled (cancel() was called),
// unavailable (the upstream closed or reset) and data_loss (what it sent is not HTTP); after any of them the connection
// must be dropped.
class ClientConnection {
public:
    ClientConnection(net::Worker& worker, std::unique_ptr<net::Stream> stream, ParserLimits limits);
    ClientConnection(const ClientConnection&) = delete;
    ClientConnection& operator=(const ClientConnection&) = delete;
    ~ClientConnection();

    // Sends part of a request. `limit` is between pieces that the upstream takes.
    base::Task<base::Result<void>> write(std::span<const boost::asio::const_buffer> buffers, base::Duration limit);

    // The whole request was written. A connection on which one was left unfinished can never carry another: what
    // follows would be read as the rest of its body.
    void end_request() {
        is_request_complete_ = true;
    }

    // Whether any byte of the request went out.
    [[nodiscard]] bool has_sent() const {
        return has_sent_;
    }

    // The head of the final answer; interim ones (1xx) are skipped. Views last until the next call.
    base::Task<base::Result<const ResponseHead*>> read_head(Method method, base::MonotonicTime limit);

    // The next piece of the body, valid until the next call; empty at its end. `limit` is per piece.
    base::Task<base::Result<std::string_view>> read_body(base::Duration limit);

    // What has arrived already; empty when waiting would be needed or the body is complete.
    base::Result<std::string_view> read_buffered_body();

    [[nodiscard]] bool is_body_complete() const {
        return is_complete_;
    }

    // Whether any byte of the answer has arrived: before the first one, repeating a safe request is safe.
    [[nodiscard]] bool has_received() const {
        return has_received_;
    }

    // Whether an earlier exchange went over it, so that it may have been closed meanwhile.
    [[nodiscard]] bool is_reused() const {
        return exchanges_ > 1;
    }

    // Whether it may carry another request: this one ended cleanly and both sides keep it open.
    [[nodiscard]] bool is_reusable() const;

    // About to be used again: nothing of the last exchange counts any more.
    void start_request();

    // An upstream that neither closed nor spoke out of turn.
    [[nodiscard]] bool is_quiet() {
        return !stream_->is_readable_now();
    }

    // While a body is being sent: `on_answer` runs once when the upstream answers early, and pending writes end.
    void watch_for_early_answer(std::function<void()> on_answer);
    void stop_watching();

    [[nodiscard]] bool has_early_answer() const {
        return has_early_answer_;
    }

    // Ends what is waiting with Code::cancelled.
    void cancel();

private:
    struct Watch {
        ClientConnection* connection;
        std::function<void()> on_answer;
    };

    static void arm(const std::shared_ptr<Watch>& watch);
    base::Task<base::Result<void>> fill();
    base::Error to_error(const net::ErrorCode& error) const;
    base::Result<ParseStep> step();

    net::Worker& worker_;
    std::unique_ptr<net::Stream> stream_;
    net::Deadline deadline_;
    InputBuffer input_;
    ResponseParser parser_;
    std::shared_ptr<Watch> watch_;
    std::size_t pending_consume_ = 0;
    unsigned exchanges_ = 0;
    bool was_short_read_ = false;
    bool has_received_ = false;
    bool is_complete_ = false;
    bool is_request_complete_ = false;
    bool has_sent_ = false;
    bool is_broken_ = false;
    bool is_cancelled_ = false;
    bool has_early_answer_ = false;
};

}  // namespace http
