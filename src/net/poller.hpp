// Which sockets of a worker can be read or written. The kernel tells each change once (epoll, edge-triggered), and what
// it told is remembered, so that waiting for a socket costs no system call; Asio's own wait re-arms its descriptor
// every time, two system calls of a proxied request.
#pragma once

#include <array>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <sys/epoll.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/system/error_code.hpp>

namespace net {

enum class Interest { readable, writable };

class Poller;

// What is known of one socket, and who waits for more. Lives on the poller's thread.
class Readiness {
public:
    // Registers `descriptor`, a socket that is closed soon after this is destroyed, which unregisters it. Throws
    // boost::system::system_error when the kernel has no room.
    Readiness(Poller& poller, int descriptor);
    Readiness(const Readiness&) = delete;
    Readiness& operator=(const Readiness&) = delete;
    ~Readiness();

    // May be true too early: then trying finds nothing, and clear() says so. Stays true for ever once the peer has
    // ended its side, because the kernel tells that only once.
    [[nodiscard]] bool is_ready(Interest interest) const {
        return ready_[index(interest)] || has_ended_;
    }

    // A try found nothing left to read, or no room to write.
    void clear(Interest interest) {
        ready_[index(interest)] = false;
    }

    // Until is_ready(interest), or cancel() (operation_aborted). One wait at a time for each interest. Who never has to
    // wait, because the peer is always faster, lets the worker's other sockets go first every few waits.
    class Wait {
    public:
        Wait(Readiness& readiness, Interest interest) : readiness_(readiness), interest_(interest) {}

        // For a stream that holds bytes of its own: there is nothing to wait for.
        void end_at_once() {
            is_over_ = true;
        }

        [[nodiscard]] bool await_ready() {
            is_over_ = is_over_ || readiness_.is_ready(interest_);
            return is_over_ && ++readiness_.passes_ < kMaxPasses;
        }

        void await_suspend(std::coroutine_handle<> caller);

        [[nodiscard]] boost::system::error_code await_resume() const {
            return error_;
        }

    private:
        friend Readiness;
        Readiness& readiness_;  // not looked at after being resumed: it may be gone
        Interest interest_;
        bool is_over_ = false;
        std::coroutine_handle<> caller_;
        boost::system::error_code error_;
    };

    // Calls `on_readable` once, from the loop, unless cancel() comes first; then with true.
    void notify_readable(std::function<void(bool is_cancelled)> on_readable) {
        on_readable_ = std::move(on_readable);
    }

    // Ends what waits, on the loop's next turn.
    void cancel();

private:
    friend Poller;

    // A pass moves 64 KiB at most.
    static constexpr unsigned kMaxPasses = 4;

    static constexpr std::size_t index(Interest interest) {
        return static_cast<std::size_t>(interest);
    }

    void update(std::uint32_t events);

    Poller& poller_;
    std::array<bool, 2> ready_{};
    bool has_ended_ = false;
    unsigned passes_ = 0;  // waits in a row that were none
    std::array<Wait*, 2> waiting_{};
    std::function<void(bool)> on_readable_;
};

// One per worker. Its epoll descriptor is watched by the worker's io_context, so sockets, timers and posted work share
// one loop.
class Poller {
public:
    // Throws boost::system::system_error when the process has no descriptor left.
    explicit Poller(boost::asio::io_context& context);
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;

private:
    friend Readiness;

    void resume_later(std::coroutine_handle<> caller);
    void watch();
    void poll();
    void tell();
    void forget(const Readiness& readiness);

    boost::asio::io_context& context_;
    boost::asio::posix::stream_descriptor epoll_;
    std::array<epoll_event, 128> events_{};
    std::span<epoll_event> pending_;  // of events_, not yet told
};

}  // namespace net
