// A connected byte stream, TCP or TLS, seen the way the kernel offers it: try now, and wait when it would block.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include "net/poller.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/system/error_code.hpp>

namespace net {

using ErrorCode = boost::system::error_code;

struct IoResult {
    std::size_t bytes = 0;
    // Default: success. would_block: wait and try again. eof: the peer ended its side.
    ErrorCode error;
};

bool would_block(const ErrorCode& error);

// In one write.
inline constexpr std::size_t kMaxBuffers = 16;

// Lives on one worker. Owns the socket and closes it when destroyed, without waiting.
class Stream {
public:
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    virtual ~Stream() = default;

    virtual IoResult try_read(boost::asio::mutable_buffer buffer) = 0;

    // Takes at most kMaxBuffers; may write a part.
    virtual IoResult try_write(std::span<const boost::asio::const_buffer> buffers) = 0;

    // Until trying again makes sense, or cancel() was called (operation_aborted).
    [[nodiscard]] virtual Readiness::Wait wait(Interest interest) = 0;

    // Ends every pending wait().
    void cancel() {
        readiness_.cancel();
    }

    // Calls `on_readable` once when bytes, an end or an error arrive, unless cancel() comes first. It must not outlive
    // what it captures: cancel() and one turn of the loop lie between.
    void notify_readable(std::function<void(bool is_cancelled)> on_readable);

    // Whether bytes or an end are there already; asks the kernel, consumes nothing.
    [[nodiscard]] virtual bool is_readable_now();

    // Whether the peer ended its side or the connection broke, with nothing left to read before that.
    [[nodiscard]] bool has_peer_closed();

    // Whether the peer's kernel has acknowledged all that was written. Stays false when the connection broke before.
    [[nodiscard]] bool is_acknowledged() const;

    // Sends an end to the peer and keeps reading possible.
    void shutdown_send();

    // The connection will end with a reset instead of an orderly end, so that the peer cannot take what it got for the
    // whole.
    void reset_when_closed();

    // Makes the kernel acknowledge at once what has arrived (Linux TCP_QUICKACK, not permanent). A peer that writes
    // head and body apart with Nagle's algorithm on, as MLflow's server does, otherwise waits 40 ms for a delayed
    // acknowledgement.
    void acknowledge_now();

protected:
    Stream(Poller& poller, int descriptor);

    [[nodiscard]] int descriptor() const {
        return descriptor_.value;
    }

    [[nodiscard]] Readiness& readiness() {
        return readiness_;
    }

private:
    struct Descriptor {
        explicit Descriptor(int owned) : value(owned) {}

        Descriptor(const Descriptor&) = delete;
        Descriptor& operator=(const Descriptor&) = delete;
        ~Descriptor();

        int value;
    };

    Descriptor descriptor_;
    Readiness readiness_;
};

class TcpStream final : public Stream {
public:
    // Takes a connected socket over, also when it throws, and makes it non-blocking with TCP_NODELAY. Throws
    // boost::system::system_error when the kernel has no room to watch it.
    TcpStream(Poller& poller, int descriptor) : Stream(poller, descriptor) {}

    IoResult try_read(boost::asio::mutable_buffer buffer) override;
    IoResult try_write(std::span<const boost::asio::const_buffer> buffers) override;

    [[nodiscard]] Readiness::Wait wait(Interest interest) override {
        return {readiness(), interest};
    }
};

// What partial writes have left of at most kMaxBuffers.
class UnsentBuffers {
public:
    explicit UnsentBuffers(std::span<const boost::asio::const_buffer> buffers);

    [[nodiscard]] bool is_empty() const {
        return bytes_ == 0;
    }

    [[nodiscard]] std::span<const boost::asio::const_buffer> rest() const {
        return {buffers_.data(), count_};
    }

    void consume(std::size_t bytes);

private:
    std::array<boost::asio::const_buffer, kMaxBuffers> buffers_;
    std::size_t count_;
    std::size_t bytes_;
};

}  // namespace net
