#include "net/worker.hpp"

#include <pthread.h>
#include <utility>

#include "telemetry/log.hpp"

#include <boost/asio/post.hpp>

namespace net {

Worker::Worker(std::string name, std::size_t index, const base::Clock& clock)
    : name_(std::move(name)),
      index_(index),
      clock_(clock),
      context_(1),
      work_(context_.get_executor()),
      poller_(context_),
      deadlines_(clock.now()),
      tick_(context_),
      random_(base::system_seed()),
      tasks_(context_) {}

Worker::~Worker() {
    stop();
}

void Worker::start() {
    thread_ = std::thread([this] {
        pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
        run();
    });
}

void Worker::run() {
    schedule_tick();
    for (;;) {
        try {
            context_.run();
            return;
        } catch (const std::exception& error) {
            // Out of memory, most likely: the one handler is lost, the worker goes on.
            telemetry::log_error("handler_failed", {{"worker", name_}, {"error", error.what()}});
        }
    }
}

void Worker::stop() {
    if (thread_.joinable()) {
        context_.stop();
        thread_.join();
    }
}

void Worker::post(std::function<void()> job) {
    boost::asio::post(context_, std::move(job));
}

void Worker::schedule_tick() {
    tick_.expires_after(DeadlineWheel::kTick);
    tick_.async_wait([this](const boost::system::error_code& error) {
        if (!error) {
            schedule_tick();
            deadlines_.advance(clock_.now());
        }
    });
}

}  // namespace net
