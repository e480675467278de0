// What all connections of one worker share.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/task.hpp"
#include "http/message.hpp"
#include "http/message_parser.hpp"
#include "net/worker.hpp"
#include "telemetry/metrics.hpp"

namespace http {

class Exchange;

struct ServerSettings {
    std::size_t max_connections = 10'000;
    std::size_t reserved_connections = 64;  // beyond those, for health and metrics only
    ParserLimits limits;
    base::Duration header_timeout = std::chrono::seconds(10);     // absolute, from the first byte of a request
    base::Duration body_idle_timeout = std::chrono::seconds(60);  // between pieces, either way
    base::Duration idle_timeout = std::chrono::seconds(75);       // between requests
};

// Answers the requests of one worker.
class RequestHandler {
public:
    virtual ~RequestHandler() = default;

    // Answers at once, if that needs no waiting. False: handle() must.
    virtual bool try_answer(Exchange& exchange) = 0;

    virtual base::Task<> handle(Exchange& exchange) = 0;

    // Whether the request may use a place reserved for health.
    [[nodiscard]] virtual bool is_health(const RequestHead& request) const = 0;

    // After the answer was sent, or failed to be.
    virtual void finished(const Exchange& exchange, base::Duration elapsed) = 0;
};

// Lives on one worker, except for the counter of open connections, which all workers share.
class ServerContext {
public:
    ServerContext(net::Worker& worker, const ServerSettings& settings, std::atomic<std::size_t>& open_connections);

    net::Worker& worker;
    const ServerSettings& settings;
    std::atomic<std::size_t>& open_connections;
    std::unique_ptr<RequestHandler> handler;
    std::list<Exchange*> exchanges;
    bool is_draining = false;

    // Puts into `id` a hexadecimal one, unique within the process and most likely beyond.
    void next_request_id(std::string& id);

    // The Date field's value, rendered at most once a second.
    [[nodiscard]] const std::string& http_date();

private:
    std::uint64_t request_id_base_;
    std::uint64_t request_count_ = 0;
    std::string date_;
    base::MonotonicTime date_rendered_at_;
};

}  // namespace http
