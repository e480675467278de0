#include "net/listener.hpp"

#include <utility>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "net/use_task.hpp"
#include "telemetry/log.hpp"

namespace net {

namespace {

using boost::asio::ip::tcp;

constexpr auto kPauseAfterError = std::chrono::milliseconds(100);
constexpr auto kTimeBetweenWarnings = std::chrono::seconds(10);

}  // namespace

tcp::endpoint parse_endpoint(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    if (colon != std::string::npos) {
        std::string host = text.substr(0, colon);
        if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
            host = host.substr(1, host.size() - 2);
        }
        if (host == "localhost") {
            host = "127.0.0.1";
        }
        boost::system::error_code error;
        const auto address = boost::asio::ip::make_address(host, error);
        const auto port = base::parse_uint(text.substr(colon + 1));
        if (!error && port && *port <= 65535) {
            return {address, static_cast<std::uint16_t>(*port)};
        }
    }
    throw base::ConfigError("listen address \"" + text +
                            "\" is not ADDRESS:PORT; write for example 127.0.0.1:8000 or [::]:8000");
}

Listener::Listener(Worker& control, const tcp::endpoint& endpoint, OnAccept on_accept)
    : acceptor_(control.context()), pause_(control.context()), on_accept_(std::move(on_accept)) {
    try {
        acceptor_.open(endpoint.protocol());
        acceptor_.set_option(tcp::acceptor::reuse_address(true));
        acceptor_.bind(endpoint);
        acceptor_.listen(4096);
        local_endpoint_ = acceptor_.local_endpoint();
    } catch (const boost::system::system_error& error) {
        throw base::ConfigError("cannot listen on " + endpoint.address().to_string() + ":" +
                                std::to_string(endpoint.port()) + ": " + error.code().message() +
                                "; choose another address with --listen, or stop the process that uses it");
    }
}

base::Task<> Listener::run() {
    base::MonotonicTime last_warning{};
    while (!is_closing_) {
        auto [error, socket] = co_await acceptor_.async_accept(use_task);
        if (!error) {
            on_accept_(socket.release());
            continue;
        }
        if (is_closing_) {
            break;
        }
        const auto now = base::SystemClock().now();
        if (now - last_warning > kTimeBetweenWarnings) {
            last_warning = now;
            telemetry::log_warn("accept_failed",
                                {{"error", error.message()}, {"action", "waiting 100 ms and going on"}});
        }
        pause_.expires_after(kPauseAfterError);
        co_await pause_.async_wait(use_task);
    }
}

void Listener::close() {
    is_closing_ = true;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
}

}  // namespace net
