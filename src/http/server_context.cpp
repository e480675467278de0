#include "http/server_context.hpp"

#include "base/strings.hpp"

namespace http {

ServerContext::ServerContext(net::Worker& owner, const ServerSettings& server_settings, std::atomic<std::size_t>& open)
    : worker(owner),
      settings(server_settings),
      open_connections(open),
      request_id_base_(owner.random().next()),
      date_rendered_at_(owner.now() - std::chrono::hours(1)) {}

void ServerContext::next_request_id(std::string& id) {
    constexpr std::size_t kDigitsOfBase = 16;
    id.resize(24);
    base::write_hex(std::span(id).first(kDigitsOfBase), request_id_base_);
    base::write_hex(std::span(id).subspan(kDigitsOfBase), ++request_count_);
}

const std::string& ServerContext::http_date() {
    const base::MonotonicTime now = worker.now();
    if (now - date_rendered_at_ >= std::chrono::seconds(1)) {
        date_rendered_at_ = now;
        date_ = base::to_http_date(worker.clock().wall_now());
    }
    return date_;
}

}  // namespace http
