#include "net/poller.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

namespace net {

namespace {

int require(int result, const char* attempted) {
    if (result < 0) {
        throw boost::system::system_error(errno, boost::system::system_category(), attempted);
    }
    return result;
}

}  // namespace

Readiness::Readiness(Poller& poller, int descriptor) : poller_(poller) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = this;
    require(::epoll_ctl(poller_.epoll_.native_handle(), EPOLL_CTL_ADD, descriptor, &event), "epoll_ctl");
}

Readiness::~Readiness() {
    cancel();
    poller_.forget(*this);
}

void Readiness::Wait::await_suspend(std::coroutine_handle<> caller) {
    readiness_.passes_ = 0;
    if (is_over_) {
        readiness_.poller_.resume_later(caller);
        return;
    }
    caller_ = caller;
    readiness_.waiting_[index(interest_)] = this;
}

void Readiness::cancel() {
    for (Wait*& waiting : waiting_) {
        if (Wait* wait = std::exchange(waiting, nullptr)) {
            wait->error_ = boost::asio::error::operation_aborted;
            poller_.resume_later(wait->caller_);
        }
    }
    if (on_readable_) {
        boost::asio::post(poller_.context_, [callback = std::exchange(on_readable_, nullptr)] { callback(true); });
    }
}

// Whoever is told may destroy this, so nothing of it is looked at afterwards.
void Readiness::update(std::uint32_t events) {
    has_ended_ = has_ended_ || (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    const bool is_readable = has_ended_ || (events & EPOLLIN) != 0;
    const bool is_writable = has_ended_ || (events & EPOLLOUT) != 0;
    ready_[index(Interest::readable)] |= is_readable;
    ready_[index(Interest::writable)] |= is_writable;
    Wait* reader = is_readable ? std::exchange(waiting_[index(Interest::readable)], nullptr) : nullptr;
    Wait* writer = is_writable ? std::exchange(waiting_[index(Interest::writable)], nullptr) : nullptr;
    const auto callback = is_readable ? std::exchange(on_readable_, nullptr) : nullptr;
    if (writer != nullptr && reader != nullptr) {
        poller_.resume_later(writer->caller_);
        writer = nullptr;
    }
    if (callback) {
        callback(false);
    }
    if (Wait* wait = reader != nullptr ? reader : writer) {
        wait->caller_.resume();
    }
}

Poller::Poller(boost::asio::io_context& context)
    : context_(context), epoll_(context, require(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
    watch();
}

void Poller::resume_later(std::coroutine_handle<> caller) {
    boost::asio::post(context_, [caller] { caller.resume(); });
}

void Poller::watch() {
    epoll_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& error) {
        if (!error) {
            poll();
        }
    });
}

void Poller::poll() {
    // Events are told once, so those that an exception keeps from being told now must be told by the next turn.
    struct WatchAgain {
        Poller& poller;

        ~WatchAgain() {
            if (!poller.pending_.empty()) {
                boost::asio::post(poller.context_, [&poller = poller] { poller.tell(); });
            }
            poller.watch();
        }
    };

    const WatchAgain watch_again{*this};
    tell();
    const int count = ::epoll_wait(epoll_.native_handle(), events_.data(), static_cast<int>(events_.size()), 0);
    pending_ = std::span(events_).first(static_cast<std::size_t>(std::max(count, 0)));
    tell();
}

void Poller::tell() {
    while (!pending_.empty()) {
        const epoll_event event = pending_.front();
        pending_ = pending_.subspan(1);
        if (event.data.ptr != nullptr) {
            static_cast<Readiness*>(event.data.ptr)->update(event.events);
        }
    }
}

void Poller::forget(const Readiness& readiness) {
    for (epoll_event& event : pending_) {
        if (event.data.ptr == &readiness) {
            event.data.ptr = nullptr;
        }
    }
}

}  // namespace net
