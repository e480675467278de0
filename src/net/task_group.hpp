// The only way to start a coroutine nobody awaits: counted, named, and waited for at shutdown.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/clock.hpp"
#include "base/task.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace net {

// Lives on one worker.
class TaskGroup {
public:
    explicit TaskGroup(boost::asio::io_context& context);

    // Runs `task` on the worker. An exception that escapes it is logged as a defect under `name` (static storage).
    void spawn(std::string_view name, base::Task<> task);

    [[nodiscard]] std::size_t size() const {
        return size_;
    }

    // Until no task is left, or `limit` has passed. Answers whether none is left.
    base::Task<bool> wait_until_empty(base::Duration limit);

private:
    boost::asio::io_context& context_;
    boost::asio::steady_timer became_empty_;
    std::size_t size_ = 0;
};

}  // namespace net
