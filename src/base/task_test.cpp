#include "base/task.hpp"

#include <coroutine>
#include <memory>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace base {
namespace {

// Starts a task and keeps what it gave.
template <class T>
struct Started {
    struct promise_type {
        Started get_return_object() {
            return {std::coroutine_handle<promise_type>::from_promise(*this)};
        }

        static std::suspend_never initial_suspend() noexcept {
            return {};
        }

        static std::suspend_always final_suspend() noexcept {
            return {};
        }

        void return_value(T value) {
            result = std::move(value);
        }

        void unhandled_exception() {
            failure = std::current_exception();
        }

        std::optional<T> result;
        std::exception_ptr failure;
    };

    ~Started() {
        handle.destroy();
    }

    std::coroutine_handle<promise_type> handle;
};

template <class T>
Started<T> start(Task<T> task) {
    T result = co_await std::move(task);
    co_return result;
}

// Suspends until the test resumes it.
struct Gate {
    static bool await_ready() noexcept {
        return false;
    }

    void await_suspend(std::coroutine_handle<> caller) {
        waiting = caller;
    }

    static void await_resume() noexcept {}

    std::coroutine_handle<> waiting;
};

Task<int> give(int value) {
    co_return value;
}

Task<> note(std::string& log, std::string text) {
    log += text;
    co_return;
}

Task<int> add_up(int count) {
    int sum = 0;
    for (int i = 0; i < count; ++i) {
        const int one = co_await give(1);
        sum += one;
    }
    co_return sum;
}

Task<int> wait_at(Gate& gate, std::shared_ptr<int> held) {
    co_await gate;
    co_return *held;
}

Task<int> throw_error() {
    throw std::runtime_error("on purpose");
    co_return 0;
}

Task<std::string> log_in_order() {
    std::string log;
    Task<> second = note(log, "b");
    co_await note(log, "a");
    co_await std::move(second);
    co_return log;
}

Task<std::string> catch_error() {
    try {
        co_await throw_error();
    } catch (const std::runtime_error& error) {
        co_return error.what();
    }
    co_return "nothing was thrown";
}

TEST(Task, begins_only_when_awaited) {
    EXPECT_EQ(start(log_in_order()).handle.promise().result, "ab");
}

TEST(Task, passes_results_and_exceptions_to_who_awaits) {
    EXPECT_EQ(start(give(7)).handle.promise().result, 7);
    EXPECT_EQ(start(catch_error()).handle.promise().result, "on purpose");
    EXPECT_TRUE(start(throw_error()).handle.promise().failure);
}

TEST(Task, awaits_a_million_tasks_without_growing_the_stack) {
    EXPECT_EQ(start(add_up(1'000'000)).handle.promise().result, 1'000'000);
}

TEST(Task, goes_on_where_it_was_suspended) {
    Gate gate;
    const auto started = start(wait_at(gate, std::make_shared<int>(3)));
    EXPECT_FALSE(started.handle.promise().result);

    gate.waiting.resume();

    EXPECT_EQ(started.handle.promise().result, 3);
}

TEST(Task, lets_go_of_what_it_holds_when_it_is_destroyed_while_suspended) {
    Gate gate;
    const auto held = std::make_shared<int>(3);
    {
        const auto started = start(wait_at(gate, held));
        EXPECT_GT(held.use_count(), 1);
    }
    EXPECT_EQ(held.use_count(), 1);
}

TEST(Task, lets_go_of_what_it_holds_when_it_was_never_awaited) {
    Gate gate;
    const auto held = std::make_shared<int>(3);
    {
        const Task<int> task = wait_at(gate, held);
    }
    EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace base
