#include "net/task_group.hpp"

#include <exception>
#include <utility>

#include "telemetry/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace net {

TaskGroup::TaskGroup(boost::asio::io_context& context) : context_(context), became_empty_(context) {}

void TaskGroup::spawn(std::string_view name, base::Task<> task) {
    ++size_;
    boost::asio::co_spawn(context_, std::move(task), [this, name](const std::exception_ptr& failure) {
        --size_;
        if (size_ == 0) {
            became_empty_.cancel();
        }
        if (!failure) {
            return;
        }
        try {
            std::rethrow_exception(failure);
        } catch (const std::exception& error) {
            telemetry::log_error("task_failed", {{"task", name}, {"error", error.what()}});
        }
    });
}

base::Task<bool> TaskGroup::wait_until_empty(base::Duration limit) {
    if (size_ > 0) {
        became_empty_.expires_after(limit);
        co_await became_empty_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    }
    co_return size_ == 0;
}

}  // namespace net
