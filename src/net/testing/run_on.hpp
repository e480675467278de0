// From a test's thread into a worker's and back.
#pragma once

#include <utility>

#include "base/task.hpp"
#include "net/worker.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

namespace net::testing {

// Starts `task` on `worker`, whose loop runs elsewhere, and answers its future result.
template <class T>
auto start_on(Worker& worker, base::Task<T> task) {
    return boost::asio::co_spawn(worker.context(), std::move(task), boost::asio::use_future);
}

// Runs `task` on `worker`, whose loop runs elsewhere, and waits for its result.
template <class T>
T run_on(Worker& worker, base::Task<T> task) {
    return start_on(worker, std::move(task)).get();
}

// The same for a plain function. When it returns, everything that was ready on the worker before has run until it waits
// again.
template <class F>
auto call_on(Worker& worker, F function) {
    static constexpr auto kCall = [](F call) -> base::Task<decltype(call())> { co_return call(); };
    return run_on(worker, kCall(std::move(function)));
}

// For a worker whose loop nobody runs: runs `task` here, on the test's own thread.
template <class T>
T run_here(Worker& worker, base::Task<T> task) {
    auto result = start_on(worker, std::move(task));
    while (result.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
        worker.context().run_one();
    }
    return result.get();
}

}  // namespace net::testing
