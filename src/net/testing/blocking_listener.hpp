// Who a connection under test goes to: blocking calls on a test's thread.
#pragma once

#include <chrono>

#include "net/testing/blocking_socket.hpp"

namespace net::testing {

// A listening port of the kernel's choice.
class BlockingListener {
public:
    explicit BlockingListener(int backlog = 64) : socket_(::socket(AF_INET, SOCK_STREAM, 0)), endpoint_(loopback()) {
        const auto* address = static_cast<const sockaddr*>(endpoint_.data());
        auto size = static_cast<socklen_t>(endpoint_.size());
        if (::bind(socket_.descriptor(), address, size) != 0 || ::listen(socket_.descriptor(), backlog) != 0 ||
            ::getsockname(socket_.descriptor(), static_cast<sockaddr*>(endpoint_.data()), &size) != 0) {
            throw_errno("listen");
        }
    }

    BlockingSocket accept() {
        const int descriptor = ::accept(socket_.descriptor(), nullptr, nullptr);
        if (descriptor < 0) {
            throw_errno("accept");
        }
        return BlockingSocket(descriptor);
    }

    [[nodiscard]] bool has_waiting_within(std::chrono::milliseconds patience) const {
        return socket_.is_readable_within(patience);
    }

    // From now on connections are refused.
    void close() {
        socket_.close();
    }

    [[nodiscard]] const Endpoint& endpoint() const {
        return endpoint_;
    }

private:
    BlockingSocket socket_;
    Endpoint endpoint_;
};

}  // namespace net::testing
