// Kept connections to one upstream, per worker and never shared.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/task.hpp"
#include "http/client_connection.hpp"
#include "net/connector.hpp"
#include "net/deadline.hpp"
#include "net/name_resolver.hpp"
#include "net/worker.hpp"

namespace http {

struct ClientPoolSettings {
    base::Duration connect_timeout = std::chrono::seconds(2);
    // Shorter than the upstream's own keep-alive (MLflow's server: 5 s), so that we close first.
    base::Duration max_idle = std::chrono::seconds(3);
    std::size_t max_idle_connections = 64;
    ParserLimits limits;
    const net::TlsClientContext* tls = nullptr;  // null: plain TCP
    std::string host;                            // for TLS
};

class ClientPool {
public:
    ClientPool(net::Worker& worker, const net::NameResolver& resolver, ClientPoolSettings settings);
    ClientPool(const ClientPool&) = delete;
    ClientPool& operator=(const ClientPool&) = delete;
    ~ClientPool();

    enum class Freshness { kept_or_new, newly_opened };

    // The most recently used kept connection on which the upstream neither closed nor spoke out of turn (an answer
    // nobody asked for would become the next caller's), or a new one to the first address that accepts it. Gives up at
    // `limit`.
    base::Task<base::Result<std::unique_ptr<ClientConnection>>> acquire(
        Freshness freshness, base::MonotonicTime limit = base::MonotonicTime::max());

    // Keeps the connection if it can carry another request.
    void release(std::unique_ptr<ClientConnection> connection);

    // Drops every kept connection, for the end of the worker.
    void clear();

private:
    struct Idle {
        std::unique_ptr<ClientConnection> connection;
        base::MonotonicTime since;
    };

    base::Task<base::Result<std::unique_ptr<ClientConnection>>> open(base::MonotonicTime limit);
    base::Task<std::shared_ptr<const net::Endpoints>> endpoints(base::MonotonicTime limit);
    void drop_expired();

    net::Worker& worker_;
    const net::NameResolver& resolver_;
    ClientPoolSettings settings_;
    std::vector<Idle> idle_;  // oldest first
    net::Deadline sweep_;
};

}  // namespace http
