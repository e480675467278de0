#include "http/server.hpp"

#include <algorithm>
#include <cstring>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "telemetry/log.hpp"

namespace http {

namespace {

// Ends the connection that has held a reserved place longest. False when this worker has none.
bool free_reserved_place(const ServerContext& context) {
    const auto oldest = std::find_if(context.exchanges.begin(), context.exchanges.end(), [](const Exchange* exchange) {
        return exchange->is_reserved() && !exchange->is_aborted();
    });
    if (oldest == context.exchanges.end()) {
        return false;
    }
    (*oldest)->abort();
    return true;
}

}  // namespace

Server::Server(net::Worker& control,
               std::vector<net::Worker*> workers,
               const ServerSettings& settings,
               telemetry::Metrics& metrics,
               const HandlerFactory& make_handler)
    : control_(control),
      settings_(settings),
      accepted_(metrics.counter("hokusai_http_connections_accepted_total", "Client connections accepted.")),
      refused_(metrics.counter("hokusai_http_connections_refused_total",
                               "Client connections closed at once because every place was taken.")) {
    for (net::Worker* worker : workers) {
        auto context = std::make_unique<ServerContext>(*worker, settings_, open_connections_);
        context->handler = make_handler(*worker);
        contexts_.push_back(std::move(context));
    }
    metrics.gauge("hokusai_http_connections_open", "Client connections open now.", {}, [this] {
        return static_cast<double>(open_connections_.load(std::memory_order_relaxed));
    });
}

boost::asio::ip::tcp::endpoint Server::start(const boost::asio::ip::tcp::endpoint& endpoint) {
    auto listener =
        std::make_unique<net::Listener>(control_, endpoint, [this](int descriptor) { hand_out(descriptor); });
    control_.tasks().spawn("listener", listener->run());
    return listeners_.emplace_back(std::move(listener))->local_endpoint();
}

void Server::hand_out(int descriptor) {
    const std::size_t open = open_connections_.fetch_add(1, std::memory_order_relaxed);
    const std::size_t places = settings_.max_connections + settings_.reserved_connections;
    // Places that are about to be free count until their worker has seen to it.
    if (open >= places + settings_.reserved_connections) {
        refuse(descriptor);
        return;
    }
    const bool is_reserved = open >= settings_.max_connections;
    const bool is_overrun = open >= places;
    ServerContext& context = *contexts_[next_++ % contexts_.size()];
    context.worker.post([this, &context, descriptor, is_reserved, is_overrun] {
        // A balancer's check speaks at once and is done; who lingers in a reserved place gives way to who comes.
        if (is_overrun && !free_reserved_place(context)) {
            refuse(descriptor);
            return;
        }
        accepted_.add();
        serve(context, descriptor, is_reserved);
    });
}

void Server::refuse(int descriptor) {
    open_connections_.fetch_sub(1, std::memory_order_relaxed);
    refused_.add();
    ::close(descriptor);
}

void Server::serve(ServerContext& context, int descriptor, bool is_reserved) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    boost::asio::ip::tcp::endpoint peer;
    if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0 && size <= peer.capacity()) {
        std::memcpy(peer.data(), &address, size);
        peer.resize(size);
    }
    std::unique_ptr<net::Stream> stream;
    try {
        stream = std::make_unique<net::TcpStream>(context.worker.poller(), descriptor);
    } catch (const boost::system::system_error& error) {
        telemetry::log_error("connection_not_watched", {{"error", error.what()}});
        context.open_connections.fetch_sub(1, std::memory_order_relaxed);
        return;
    }
    auto connection = std::make_unique<ServerConnection>(context, std::move(stream), peer.address(), is_reserved);
    // The task owns its connection: it is a parameter of the coroutine, so it lives exactly as long as run().
    static constexpr auto kRun = [](std::unique_ptr<ServerConnection> owned) -> base::Task<> { co_await owned->run(); };
    context.worker.tasks().spawn("connection", kRun(std::move(connection)));
}

base::Task<> Server::wait_until_empty(base::MonotonicTime end) {
    for (const auto& context : contexts_) {
        const base::Duration rest = std::max(base::Duration(0), base::Duration(end - control_.now()));
        co_await net::resume_on(context->worker);
        co_await context->worker.tasks().wait_until_empty(rest);
    }
    co_await net::resume_on(control_);
}

base::Task<std::size_t> Server::drain(base::Duration limit, base::Duration abort_limit) {
    for (const auto& listener : listeners_) {
        listener->close();
    }
    for (const auto& context : contexts_) {
        context->worker.post([&context = *context] {
            context.is_draining = true;
            for (Exchange* exchange : context.exchanges) {
                exchange->end_if_idle();
            }
        });
    }
    co_await wait_until_empty(control_.now() + limit);
    const std::size_t remaining = open_connections_.load();
    if (remaining > 0) {
        for (const auto& context : contexts_) {
            context->worker.post([&context = *context] {
                for (Exchange* exchange : context.exchanges) {
                    exchange->abort();
                }
            });
        }
        co_await wait_until_empty(control_.now() + abort_limit);
    }
    co_return remaining;
}

}  // namespace http
