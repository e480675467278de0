// The only way to start a coroutine nobody awaits: counted, named, and waited for at shutdown.
#pragma once

#include <coroutine>
#include <cstddef>
#include <list>
#include <string_view>

#include "base/clock.hpp"
#include "base/task.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace net {

// Lives on one worker. What has not ended when it is destroyed is ended where it is suspended.
class TaskGroup {
public:
    explicit TaskGroup(boost::asio::io_context& context);
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;
    ~TaskGroup();

    // Runs `task` on the worker, from its next turn on. An exception that escapes it is logged as a defect under `name`
    // (static storage).
    void spawn(std::string_view name, base::Task<> task);

    [[nodiscard]] std::size_t size() const {
        return running_.size();
    }

    // Until no task is left, or `limit` has passed. Answers whether none is left.
    base::Task<bool> wait_until_empty(base::Duration limit);

private:
    struct Root;
    using Place = std::list<std::coroutine_handle<>>::iterator;

    static Root run(std::string_view name, base::Task<> task, TaskGroup& group, Place place);

    boost::asio::io_context& context_;
    boost::asio::steady_timer became_empty_;
    std::list<std::coroutine_handle<>> running_;
};

}  // namespace net
