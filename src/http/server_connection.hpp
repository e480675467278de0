// The life of one client connection.
#pragma once

#include <memory>

#include "base/task.hpp"
#include "http/exchange.hpp"

#include <boost/asio/ip/address.hpp>

namespace http {

// Reads request after request, has each answered by the context's handler, and ends when either side is done. Runs as
// one task on the context's worker.
class ServerConnection {
public:
    // `is_reserved`: accepted beyond the connection limit; only health is answered, one request, and it must come soon.
    ServerConnection(ServerContext& context,
                     std::unique_ptr<net::Stream> stream,
                     boost::asio::ip::address peer,
                     bool is_reserved);
    ServerConnection(const ServerConnection&) = delete;
    ServerConnection& operator=(const ServerConnection&) = delete;
    ~ServerConnection();

    base::Task<> run();

private:
    [[nodiscard]] base::Duration header_time() const;
    base::Task<bool> read_head(base::Duration patience);
    base::Task<> answer_request();
    base::Task<bool> drain_body();
    base::Task<> linger();
    void refuse(const base::Error& error);

    ServerContext& context_;
    Exchange exchange_;
    std::list<Exchange*>::iterator place_;
};

}  // namespace http
