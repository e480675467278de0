// A thread with one event loop. Everything of a connection lives and dies on one worker, so nothing there needs a lock.
#pragma once

#include <coroutine>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "net/deadline.hpp"
#include "net/poller.hpp"
#include "net/task_group.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace net {

class Worker {
public:
    Worker(std::string name, std::size_t index, const base::Clock& clock);
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    ~Worker();

    // Runs the loop on a thread of its own until stop().
    void start();

    // The same on the calling thread; returns when the context is stopped.
    void run();

    // Ends the loop, whatever is still pending, and joins the thread. Any thread but the worker's own.
    void stop();

    // Safe from any thread: runs `job` on the worker.
    void post(std::function<void()> job);

    // The rest is for the worker's own thread.
    [[nodiscard]] boost::asio::io_context& context() {
        return context_;
    }

    [[nodiscard]] Poller& poller() {
        return poller_;
    }

    [[nodiscard]] DeadlineWheel& deadlines() {
        return deadlines_;
    }

    [[nodiscard]] TaskGroup& tasks() {
        return tasks_;
    }

    [[nodiscard]] const TaskGroup& tasks() const {
        return tasks_;
    }

    [[nodiscard]] base::Random& random() {
        return random_;
    }

    [[nodiscard]] base::MonotonicTime now() const {
        return clock_.now();
    }

    [[nodiscard]] const base::Clock& clock() const {
        return clock_;
    }

    [[nodiscard]] std::size_t index() const {
        return index_;
    }

private:
    void schedule_tick();

    std::string name_;
    std::size_t index_;
    const base::Clock& clock_;
    boost::asio::io_context context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    Poller poller_;
    DeadlineWheel deadlines_;
    boost::asio::steady_timer tick_;
    base::SeededRandom random_;
    TaskGroup tasks_;
    std::thread thread_;
};

// Goes on with the awaiting coroutine on `worker`: `co_await resume_on(worker);`. Safe from any thread.
inline auto resume_on(Worker& worker) {
    struct Move {
        Worker& worker;

        static bool await_ready() noexcept {
            return false;
        }

        void await_suspend(std::coroutine_handle<> caller) const {
            worker.post([caller] { caller.resume(); });
        }

        static void await_resume() noexcept {}
    };

    return Move{worker};
}

}  // namespace net
