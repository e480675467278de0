// From the first connection to the last: what Service does once it is made.
#include <algorithm>
#include <malloc.h>
#include <utility>

#include "apps/service.hpp"
#include "net/use_task.hpp"
#include "telemetry/log.hpp"

#include <fmt/format.h>

namespace apps {

namespace {

constexpr auto kTrimInterval = std::chrono::minutes(1);
// With drain_delay and drain_timeout at most 25 s in all.
constexpr auto kAbortLimit = std::chrono::seconds(1);
constexpr auto kTaskLimit = std::chrono::milliseconds(500);

}  // namespace

bool Service::run(const OnReady& on_ready, const OnReload& on_reload) {
    const auto address = boost::asio::ip::make_address(
        settings_.server.listen.host == "localhost" ? "127.0.0.1" : settings_.server.listen.host);
    const auto bound = server_.start({address, settings_.server.listen.port});
    control_.tasks().spawn("key_refresher", key_refresher_.run());
    for (base::Task<>& loop : monitor_.loops()) {
        control_.tasks().spawn("monitor", std::move(loop));
    }
    if (mlflow_) {
        control_.tasks().spawn("name_resolver", mlflow_->resolver.run());
    }
    for (Part* part : parts_) {
        part->start(control_);
    }
    control_.tasks().spawn("memory_trimmer", trim_memory());
    for (const auto& worker : workers_) {
        worker->start();
    }
    const std::string host =
        bound.address().is_v6() ? "[" + bound.address().to_string() + "]" : bound.address().to_string();
    control_.tasks().spawn("supervisor",
                           supervise(fmt::format("http://{}:{}", host, bound.port()), on_ready, on_reload));
    control_.run();
    return has_ended_cleanly_;
}

// The allocator keeps what a burst of large requests has left in the workers' heaps, unless it is asked.
base::Task<> Service::trim_memory() {
    while (phase_.load() != health::Phase::draining) {
        co_await sleeper_.wait_until(clock_.now() + kTrimInterval);
        malloc_trim(0);
    }
}

base::Task<> Service::pause(base::Duration duration) {
    boost::asio::steady_timer timer(control_.context());
    timer.expires_after(duration);
    co_await timer.async_wait(net::use_task);
}

base::Task<int> Service::wait_for_end(const OnReload& on_reload) {
    for (;;) {
        const auto [error, signal] = co_await signals_.async_wait(net::use_task);
        if (error || signal != SIGHUP) {
            co_return error ? SIGTERM : signal;
        }
        on_reload();
    }
}

base::Task<> Service::supervise(std::string url, OnReady on_ready, OnReload on_reload) {
    while (monitor_.current(clock_.now())->store.check.state == health::CheckState::unknown) {
        co_await pause(std::chrono::milliseconds(1));
    }
    phase_.store(health::Phase::serving);
    on_ready(url);
    const int signal = co_await wait_for_end(on_reload);
    co_await shut_down(signal);
    control_.context().stop();
}

base::Task<> Service::shut_down(int signal) {
    phase_.store(health::Phase::draining);
    // Ctrl-C is a person who waits; SIGTERM is an orchestrator whose balancer needs time to notice.
    const base::Duration delay = signal == SIGINT ? base::Duration(0) : settings_.server.drain_delay;
    telemetry::log_info("draining",
                        {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"},
                         {"delay_seconds", std::chrono::duration<double>(delay).count()}});
    if (delay > base::Duration(0)) {
        // A second signal ends the delay.
        boost::asio::steady_timer limit(control_.context());
        limit.expires_after(delay);
        limit.async_wait([this](const boost::system::error_code& error) {
            if (!error) {
                signals_.cancel();
            }
        });
        co_await signals_.async_wait(net::use_task);
    }
    const std::size_t ended = co_await server_.drain(settings_.server.drain_timeout, kAbortLimit);
    if (ended > 0) {
        telemetry::log_warn("connections_ended", {{"count", ended}, {"reason", "they did not finish in time"}});
    }
    monitor_.stop();
    sleeper_.wake_all();
    key_refresher_.stop();
    if (mlflow_) {
        mlflow_->resolver.stop();
        mlflow_->probe_client.stop();
    }
    for (Part* part : parts_) {
        part->stop();
    }
    // The supervisor itself is the one task that remains.
    const base::MonotonicTime end = clock_.now() + kTaskLimit;
    while (!is_idle() && clock_.now() < end) {
        co_await pause(std::chrono::milliseconds(2));
    }
    has_ended_cleanly_ = is_idle();
    telemetry::log_info("stopped", {{"clean", has_ended_cleanly_}});
}

bool Service::is_idle() const {
    return !server_.has_connections() && control_.tasks().size() <= 1 && pool_.is_idle() && probe_pool_.is_idle() &&
           std::ranges::all_of(parts_, [](const Part* part) { return part->is_idle(); });
}

}  // namespace apps
