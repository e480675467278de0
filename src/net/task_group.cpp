#include "net/task_group.hpp"

#include <exception>
#include <utility>

#include "net/use_task.hpp"
#include "telemetry/log.hpp"

#include <boost/asio/post.hpp>

namespace net {

// The coroutine at the bottom of a task: frees itself at its end.
struct TaskGroup::Root {
    struct promise_type {  // NOLINT(readability-identifier-naming): the language wants it

        Root get_return_object() noexcept {
            return {std::coroutine_handle<promise_type>::from_promise(*this)};
        }

        static std::suspend_always initial_suspend() noexcept {
            return {};
        }

        static std::suspend_never final_suspend() noexcept {
            return {};
        }

        static void return_void() noexcept {}

        static void unhandled_exception() noexcept {
            std::terminate();
        }
    };

    std::coroutine_handle<> handle;
};

TaskGroup::TaskGroup(boost::asio::io_context& context) : context_(context), became_empty_(context) {}

TaskGroup::~TaskGroup() {
    while (!running_.empty()) {
        const std::coroutine_handle<> task = running_.front();
        running_.pop_front();
        task.destroy();
    }
}

TaskGroup::Root TaskGroup::run(std::string_view name, base::Task<> task, TaskGroup& group, Place place) {
    try {
        co_await std::move(task);
    } catch (const std::exception& error) {
        telemetry::log_error("task_failed", {{"task", name}, {"error", error.what()}});
    }
    group.running_.erase(place);
    if (group.size() == 0) {
        group.became_empty_.cancel();
    }
}

void TaskGroup::spawn(std::string_view name, base::Task<> task) {
    const Place place = running_.emplace(running_.end());
    *place = run(name, std::move(task), *this, place).handle;
    boost::asio::post(context_, [handle = *place] { handle.resume(); });
}

base::Task<bool> TaskGroup::wait_until_empty(base::Duration limit) {
    if (size() > 0) {
        became_empty_.expires_after(limit);
        co_await became_empty_.async_wait(use_task);
    }
    co_return size() == 0;
}

}  // namespace net
