// From a test's thread into a worker's and back.
#pragma once

#include <coroutine>
#include <exception>
#include <future>
#include <type_traits>
#include <utility>

#include "base/task.hpp"
#include "net/worker.hpp"

namespace net::testing {

// A coroutine that starts at once and frees itself at its end.
struct FreeRunning {
    struct promise_type {  // NOLINT(readability-identifier-naming): the language wants it

        static FreeRunning get_return_object() noexcept {
            return {};
        }

        static std::suspend_never initial_suspend() noexcept {
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
};

template <class T>
FreeRunning fulfil(Worker& worker, base::Task<T> task, std::promise<T> promise) {
    co_await resume_on(worker);
    try {
        if constexpr (std::is_void_v<T>) {
            co_await std::move(task);
            promise.set_value();
        } else {
            T result = co_await std::move(task);
            promise.set_value(std::move(result));
        }
    } catch (...) {
        promise.set_exception(std::current_exception());
    }
}

// Starts `task` on `worker`, whose loop runs elsewhere, and answers its future result.
template <class T>
std::future<T> start_on(Worker& worker, base::Task<T> task) {
    std::promise<T> promise;
    std::future<T> result = promise.get_future();
    fulfil(worker, std::move(task), std::move(promise));
    return result;
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
