#include "net/name_resolver.hpp"

#include <utility>

#include "net/use_task.hpp"
#include "telemetry/log.hpp"

namespace net {

using boost::asio::ip::tcp;

NameResolver::NameResolver(Worker& control, std::string host, std::uint16_t port, Settings settings)
    : host_(std::move(host)),
      port_(port),
      settings_(std::move(settings)),
      resolver_(control.context()),
      pause_(control.context()) {
    Endpoints known;
    for (const auto& address : settings_.fallback) {
        known.emplace_back(address, port_);
    }
    boost::system::error_code not_an_address;
    const auto address = boost::asio::ip::make_address(host_, not_an_address);
    if (!not_an_address) {
        is_literal_ = true;
        known = {{address, port_}};
    }
    current_ = std::make_shared<const Endpoints>(std::move(known));
}

base::Task<> NameResolver::run() {
    while (!is_stopping_ && !is_literal_) {
        const auto [error, results] =
            co_await resolver_.async_resolve(host_, std::to_string(port_), tcp::resolver::numeric_service, use_task);
        Endpoints endpoints;
        for (const auto& entry : results) {
            endpoints.push_back(entry.endpoint());
        }
        if (is_stopping_) {
            break;
        }
        const bool is_good = !error && !endpoints.empty();
        if (is_good) {
            publish(std::make_shared<const Endpoints>(std::move(endpoints)), std::nullopt);
        } else {
            const std::string reason = error ? error.message() : "the answer holds no address";
            if (!last_error()) {
                telemetry::log_warn(
                    "name_lookup_failed",
                    {{"host", host_}, {"error", reason}, {"action", "keeping the last known addresses"}});
            }
            publish(nullptr, reason);
        }
        pause_.expires_after(is_good ? settings_.refresh : settings_.retry);
        co_await pause_.async_wait(use_task);
    }
}

void NameResolver::stop() {
    is_stopping_ = true;
    resolver_.cancel();
    pause_.cancel();
}

void NameResolver::publish(std::shared_ptr<const Endpoints> endpoints, std::optional<std::string> error) {
    const std::lock_guard lock(mutex_);
    if (endpoints) {
        current_ = std::move(endpoints);
    }
    last_error_ = std::move(error);
}

std::shared_ptr<const Endpoints> NameResolver::current() const {
    const std::lock_guard lock(mutex_);
    return current_;
}

bool NameResolver::is_first_look_up_running() const {
    const std::lock_guard lock(mutex_);
    return current_->empty() && !last_error_;
}

std::optional<std::string> NameResolver::last_error() const {
    const std::lock_guard lock(mutex_);
    return last_error_;
}

}  // namespace net
