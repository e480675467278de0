#include "http/client_pool.hpp"

#include <algorithm>
#include <utility>

#include "net/use_task.hpp"

#include <boost/asio/steady_timer.hpp>

namespace http {

namespace {

constexpr auto kFirstLookUpPause = std::chrono::milliseconds(5);

}  // namespace

ClientPool::ClientPool(net::Worker& worker, const net::NameResolver& resolver, ClientPoolSettings settings)
    : worker_(worker),
      resolver_(resolver),
      settings_(std::move(settings)),
      sweep_(worker.deadlines(), [this] { drop_expired(); }) {}

ClientPool::~ClientPool() = default;

base::Task<base::Result<std::unique_ptr<ClientConnection>>> ClientPool::acquire(Freshness freshness,
                                                                                base::MonotonicTime limit) {
    drop_expired();
    while (freshness != Freshness::newly_opened && !idle_.empty()) {
        std::unique_ptr<ClientConnection> connection = std::move(idle_.back().connection);
        idle_.pop_back();
        if (connection->is_quiet()) {
            connection->start_request();
            co_return connection;
        }
    }
    base::Result<std::unique_ptr<ClientConnection>> opened = co_await open(limit);
    co_return opened;
}

base::Task<base::Result<std::unique_ptr<ClientConnection>>> ClientPool::open(base::MonotonicTime limit) {
    const std::shared_ptr<const net::Endpoints> known =
        co_await endpoints(std::min(limit, worker_.now() + settings_.connect_timeout));
    base::Error last_error{base::Code::unavailable,
                           "the name " + settings_.host + " has not been resolved: " +
                               resolver_.last_error().value_or("the look-up is still running")};
    for (const auto& endpoint : *known) {
        base::Result<std::unique_ptr<net::Stream>> stream =
            co_await net::connect(worker_,
                                  {endpoint, settings_.tls, settings_.host},
                                  std::min(settings_.connect_timeout, base::Duration(limit - worker_.now())));
        if (stream) {
            auto connection = std::make_unique<ClientConnection>(worker_, std::move(*stream), settings_.limits);
            connection->start_request();
            co_return connection;
        }
        last_error = stream.error();
    }
    co_return std::unexpected(last_error);
}

// The first look-up of a name takes a moment after the start, and no fault of the upstream's.
base::Task<std::shared_ptr<const net::Endpoints>> ClientPool::endpoints(base::MonotonicTime limit) {
    boost::asio::steady_timer pause(worker_.context());
    while (resolver_.is_first_look_up_running() && worker_.now() < limit) {
        pause.expires_after(kFirstLookUpPause);
        co_await pause.async_wait(net::use_task);
    }
    co_return resolver_.current();
}

void ClientPool::release(std::unique_ptr<ClientConnection> connection) {
    if (!connection->is_reusable()) {
        return;
    }
    connection->stop_watching();
    if (idle_.size() >= settings_.max_idle_connections) {
        idle_.erase(idle_.begin());
    }
    if (idle_.empty()) {
        sweep_.set(worker_.now() + settings_.max_idle);
    }
    idle_.push_back({std::move(connection), worker_.now()});
}

void ClientPool::drop_expired() {
    const base::MonotonicTime oldest = worker_.now() - settings_.max_idle;
    const auto first_kept =
        std::find_if(idle_.begin(), idle_.end(), [oldest](const Idle& idle) { return idle.since > oldest; });
    idle_.erase(idle_.begin(), first_kept);
    if (!idle_.empty()) {
        sweep_.set(idle_.front().since + settings_.max_idle);
    }
}

void ClientPool::clear() {
    idle_.clear();
    sweep_.clear();
}

}  // namespace http
