// The coroutine type of the whole tree.
//
// Our own, because it is awaited a dozen times a request: a call costs one allocation and two jumps (symmetric
// transfer), where Boost.Asio's awaitable walks its own stack of frames. It knows no executor, so it can await anything
// that resumes a std::coroutine_handle.
#pragma once

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

#include "base/frame_cache.hpp"

namespace base {

template <class T = void>
class Task;

// What Task<T> and Task<void> share. Not for direct use.
class TaskPromiseBase {
public:
    static void* operator new(std::size_t size) {
        return allocate_frame(size);
    }

    static void operator delete(void* frame, std::size_t size) noexcept {
        free_frame(frame, size);
    }

    static std::suspend_always initial_suspend() noexcept {
        return {};
    }

    struct ResumeCaller {
        static bool await_ready() noexcept {
            return false;
        }

        template <class Promise>
        static std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
            return self.promise().caller_;
        }

        static void await_resume() noexcept {}
    };

    static ResumeCaller final_suspend() noexcept {
        return {};
    }

    void unhandled_exception() noexcept {
        failure_ = std::current_exception();
    }

    void set_caller(std::coroutine_handle<> caller) noexcept {
        caller_ = caller;
    }

protected:
    void rethrow_failure() const {
        if (failure_) {
            std::rethrow_exception(failure_);
        }
    }

private:
    std::coroutine_handle<> caller_ = std::noop_coroutine();
    std::exception_ptr failure_;
};

template <class T>
class TaskPromise final : public TaskPromiseBase {
public:
    Task<T> get_return_object() noexcept;

    template <std::convertible_to<T> Value>
    void return_value(Value&& value) {
        value_.emplace(std::forward<Value>(value));
    }

    T take_result() {
        rethrow_failure();
        return *std::move(value_);
    }

private:
    std::optional<T> value_;
};

template <>
class TaskPromise<void> final : public TaskPromiseBase {
public:
    Task<void> get_return_object() noexcept;

    static void return_void() noexcept {}

    void take_result() const {
        rethrow_failure();
    }
};

// A lazy coroutine: it begins when awaited, on the thread that awaits it, goes on wherever what it waits for resumes
// it, and passes its result or exception to the one who awaits. It must not outlive what its parameters refer to.
// Destroying it ends it where it is suspended, and with it whatever it awaits.
template <class T>
class [[nodiscard]] Task {
public:
    using promise_type = TaskPromise<T>;

    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}

    Task& operator=(Task&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }

    ~Task() {
        if (handle_) {
            handle_.destroy();
        }
    }

    auto operator co_await() && noexcept {
        struct Start {
            std::coroutine_handle<promise_type> handle;

            static bool await_ready() noexcept {
                return false;
            }

            std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) const noexcept {
                handle.promise().set_caller(caller);
                return handle;
            }

            T await_resume() const {
                return handle.promise().take_result();
            }
        };

        return Start{handle_};
    }

private:
    friend promise_type;

    explicit Task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}

    std::coroutine_handle<promise_type> handle_;
};

template <class T>
Task<T> TaskPromise<T>::get_return_object() noexcept {
    return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

inline Task<void> TaskPromise<void>::get_return_object() noexcept {
    return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

}  // namespace base
