// A request of our own to a handler of ours: it takes the way a client's would, and leaves nothing but the process.
//
//   caller ─► ClientConnection ══ socket pair ══ ServerConnection ─► handle
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"
#include "http/caller.hpp"
#include "http/client_connection.hpp"
#include "http/exchange.hpp"
#include "http/server_context.hpp"
#include "net/worker.hpp"

#include <boost/asio/ip/address.hpp>

namespace http {

struct InternalRequest {
    std::string_view method{"GET"};  // static storage
    std::string target;
    std::string fields{};  // more of the head, each line with its end
    std::string body{};
};

struct InternalAnswer {
    unsigned status = 0;
    std::string body;
    // Fields of the answer; empty where it has none.
    std::string retry_after;
    std::string age;
    std::string source;  // X-Hokusai-Source
};

// One call, on one worker. The server's settings outlive it.
class InternalCall {
public:
    using Handle = std::function<base::Task<>(Exchange&)>;

    // In whose name it is made; `peer` and `caller` are what the handler sees of the client.
    struct Origin {
        Caller caller;
        boost::asio::ip::address peer;
    };

    InternalCall(net::Worker& worker, const ServerSettings& settings, Origin origin, Handle handle);
    InternalCall(const InternalCall&) = delete;
    InternalCall& operator=(const InternalCall&) = delete;
    ~InternalCall();

    // Ends once the handler has, so that nothing of it is left behind. Code::deadline_exceeded past `limit`,
    // Code::exhausted for an answer of more than `max_body` bytes, Code::cancelled after abort(): then it may have been
    // carried out. Code::unavailable when no call can be made.
    base::Task<base::Result<InternalAnswer>> make(InternalRequest request,
                                                  base::MonotonicTime limit,
                                                  std::size_t max_body);

    // As when the client goes away.
    void abort();

private:
    class Handler;

    base::Task<> serve(std::unique_ptr<net::Stream> stream);
    base::Task<base::Result<InternalAnswer>> ask(InternalRequest request,
                                                 base::MonotonicTime limit,
                                                 std::size_t max_body);
    base::Task<> wait_for_end();

    net::Worker& worker_;
    const Origin origin_;
    std::atomic<std::size_t> connections_{1};
    ServerContext context_;
    std::unique_ptr<ClientConnection> client_;
    boost::asio::steady_timer ended_;
    bool is_serving_ = false;
};

}  // namespace http
