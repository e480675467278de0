// The other end of a connection, as a test's thread sees it: blocking calls over loopback, five seconds at most each.
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <boost/asio/ip/tcp.hpp>

namespace net::testing {

using Endpoint = boost::asio::ip::tcp::endpoint;

inline Endpoint loopback(std::uint16_t port = 0) {
    return {boost::asio::ip::address_v4::loopback(), port};
}

[[noreturn]] inline void throw_errno(const char* attempted) {
    throw std::system_error(errno, std::generic_category(), attempted);
}

// Throws std::system_error for whatever a test does not expect, such as five seconds without a byte.
class BlockingSocket {
public:
    explicit BlockingSocket(int descriptor) : descriptor_(descriptor) {
        const timeval patience{.tv_sec = 5, .tv_usec = 0};
        ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    }

    // `receive_buffer`: bytes the kernel may hold for a reader that does not read; 0: its own choice.
    static BlockingSocket connect_to(const Endpoint& endpoint, int receive_buffer = 0) {
        BlockingSocket socket(::socket(endpoint.protocol().family(), SOCK_STREAM, 0));
        if (receive_buffer > 0) {
            ::setsockopt(socket.descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
        }
        const auto* address = static_cast<const sockaddr*>(endpoint.data());
        if (::connect(socket.descriptor_, address, static_cast<socklen_t>(endpoint.size())) != 0) {
            throw_errno("connect");
        }
        return socket;
    }

    BlockingSocket(BlockingSocket&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, -1)), pending_(std::move(other.pending_)) {}

    BlockingSocket& operator=(BlockingSocket&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        std::swap(pending_, other.pending_);
        return *this;
    }

    ~BlockingSocket() {
        close();
    }

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (count < 0) {
                throw_errno("send");
            }
            bytes.remove_prefix(static_cast<std::size_t>(count));
        }
    }

    // Empty at the end, which a reset counts as.
    std::string receive_some() {
        if (!pending_.empty()) {
            return std::exchange(pending_, {});
        }
        std::string bytes(16UL * 1024, '\0');
        const ssize_t count = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
        was_reset_ = count < 0 && errno == ECONNRESET;
        if (count < 0 && !was_reset_) {
            throw_errno("receive");
        }
        bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
        return bytes;
    }

    std::string receive(std::size_t size) {
        while (pending_.size() < size) {
            fill();
        }
        return take(size);
    }

    std::string receive_through(std::string_view marker) {
        std::size_t found = 0;
        while ((found = pending_.find(marker)) == std::string::npos) {
            fill();
        }
        return take(found + marker.size());
    }

    // Until the end.
    std::string receive_all() {
        std::string all;
        for (std::string piece = receive_some(); !piece.empty(); piece = receive_some()) {
            all += piece;
        }
        return all;
    }

    // Whether a byte or the end arrives within `patience`.
    [[nodiscard]] bool is_readable_within(std::chrono::milliseconds patience) const {
        pollfd waiting{.fd = descriptor_, .events = POLLIN, .revents = 0};
        return !pending_.empty() || ::poll(&waiting, 1, static_cast<int>(patience.count())) > 0;
    }

    void end_sending() {
        ::shutdown(descriptor_, SHUT_WR);
    }

    void close() {
        if (descriptor_ >= 0) {
            ::close(std::exchange(descriptor_, -1));
        }
    }

    // Closes with a reset instead of an orderly end.
    void reset() {
        const linger abort{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
        close();
    }

    // Whether the end that was received was a reset.
    [[nodiscard]] bool was_reset() const {
        return was_reset_;
    }

    [[nodiscard]] int descriptor() const {
        return descriptor_;
    }

private:
    void fill() {
        std::string kept = std::exchange(pending_, {});
        const std::string more = receive_some();
        if (more.empty()) {
            throw std::runtime_error("the connection ended after: " + kept);
        }
        pending_ = std::move(kept) + more;
    }

    std::string take(std::size_t size) {
        std::string taken = pending_.substr(0, size);
        pending_.erase(0, size);
        return taken;
    }

    int descriptor_;
    std::string pending_;
    bool was_reset_ = false;
};

}  // namespace net::testing
