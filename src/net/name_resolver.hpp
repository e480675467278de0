// Where a host name points, looked up in the background; the last good answer stays in use.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/task.hpp"
#include "net/worker.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

namespace net {

using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

// run() lives on the control worker; current() is safe from any thread and never waits. An address needs no look-up.
class NameResolver {
public:
    struct Settings {
        base::Duration refresh = std::chrono::seconds(30);
        base::Duration retry = std::chrono::seconds(5);  // after a failure, and until the first answer
        std::vector<boost::asio::ip::address> fallback;  // used while no look-up has ever succeeded
    };

    NameResolver(Worker& control, std::string host, std::uint16_t port, Settings settings);

    base::Task<> run();
    void stop();

    // The fallback addresses until the first answer. An error or an empty answer never removes what is known.
    [[nodiscard]] std::shared_ptr<const Endpoints> current() const;

    // Whether nothing is known yet because nobody has answered so far, for better or worse.
    [[nodiscard]] bool is_first_look_up_running() const;

    // What the last look-up said when it failed.
    [[nodiscard]] std::optional<std::string> last_error() const;

private:
    void publish(std::shared_ptr<const Endpoints> endpoints, std::optional<std::string> error);

    std::string host_;
    std::uint16_t port_;
    Settings settings_;
    boost::asio::ip::tcp::resolver resolver_;
    boost::asio::steady_timer pause_;
    bool is_stopping_ = false;
    bool is_literal_ = false;

    mutable std::mutex mutex_;  // guards the two below
    std::shared_ptr<const Endpoints> current_;
    std::optional<std::string> last_error_;
};

}  // namespace net
