// Opening connections: to whom, over what, and by when.
#pragma once

#include <memory>
#include <string>

#include "base/error.hpp"
#include "base/task.hpp"
#include "net/stream.hpp"
#include "net/tls.hpp"
#include "net/worker.hpp"

#include <boost/asio/ip/tcp.hpp>

namespace net {

struct ConnectTarget {
    boost::asio::ip::tcp::endpoint endpoint;
    const TlsClientContext* tls = nullptr;  // null: plain TCP. Outlives the call
    std::string host;                       // for TLS: server name and certificate
};

// Connects on `worker`, TLS handshake included. Code::unavailable with "connection refused" or the like at once;
// Code::deadline_exceeded when `limit` has passed; Code::exhausted when this machine lacks descriptors, ports or memory
// for it, which says nothing about the peer.
base::Task<base::Result<std::unique_ptr<Stream>>> connect(Worker& worker, ConnectTarget target, base::Duration limit);

}  // namespace net
