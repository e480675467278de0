// Accepting connections and handing them to the workers in turn.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/task.hpp"
#include "net/worker.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

namespace net {

// Splits "127.0.0.1:8000" or "[::1]:8000". Throws base::ConfigError naming the text.
boost::asio::ip::tcp::endpoint parse_endpoint(const std::string& text);

// Lives on the control worker. The loop survives every error of accept(): out of descriptors it waits 100 ms and goes
// on.
class Listener {
public:
    // Receives each accepted socket's descriptor on the control worker; it owns the descriptor from then on.
    using OnAccept = std::function<void(int descriptor)>;

    // Binds and listens at once, so that "address in use" stops the start. Throws base::ConfigError.
    Listener(Worker& control, const boost::asio::ip::tcp::endpoint& endpoint, OnAccept on_accept);

    base::Task<> run();

    // On the control worker: accepts no more; run() ends.
    void close();

    // With the port the kernel chose when 0 was asked for.
    [[nodiscard]] boost::asio::ip::tcp::endpoint local_endpoint() const {
        return local_endpoint_;
    }

private:
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::ip::tcp::endpoint local_endpoint_;
    boost::asio::steady_timer pause_;
    OnAccept on_accept_;
    bool is_closing_ = false;
};

}  // namespace net
