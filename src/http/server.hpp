// The listening side: connections spread over workers, a limit with places kept free for health, and an orderly end.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/task.hpp"
#include "http/server_connection.hpp"
#include "http/server_context.hpp"
#include "net/listener.hpp"
#include "net/worker.hpp"
#include "telemetry/metrics.hpp"

#include <boost/asio/ip/tcp.hpp>

namespace http {

// Lives on the control worker. Workers must outlive it.
class Server {
public:
    // Makes the request handler of one worker; called once per worker, on the control worker, before start().
    using HandlerFactory = std::function<std::unique_ptr<RequestHandler>(net::Worker&)>;

    Server(net::Worker& control,
           std::vector<net::Worker*> workers,
           const ServerSettings& settings,
           telemetry::Metrics& metrics,
           const HandlerFactory& make_handler);

    // Binds and accepts. Throws base::ConfigError when the address can't be used. Answers the address with its real
    // port.
    boost::asio::ip::tcp::endpoint start(const boost::asio::ip::tcp::endpoint& endpoint);

    // Accepts no more, closes idle connections, lets busy ones finish their answer; after `limit` ends what remains,
    // within `abort_limit`. Answers how many had to be ended.
    base::Task<std::size_t> drain(base::Duration limit, base::Duration abort_limit);

    // After drain(): whether a connection did not even let itself be ended.
    [[nodiscard]] bool has_connections() const {
        return open_connections_.load() > 0;
    }

private:
    void hand_out(int descriptor);
    void refuse(int descriptor);
    static void serve(ServerContext& context, int descriptor, bool is_reserved);
    base::Task<> wait_until_empty(base::MonotonicTime end);

    net::Worker& control_;
    const ServerSettings& settings_;
    telemetry::Counter& accepted_;
    telemetry::Counter& refused_;
    std::atomic<std::size_t> open_connections_{0};
    std::vector<std::unique_ptr<ServerContext>> contexts_;
    std::vector<std::unique_ptr<net::Listener>> listeners_;
    std::size_t next_ = 0;
};

}  // namespace http
