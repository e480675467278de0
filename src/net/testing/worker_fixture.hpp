// A running worker whose deadlines follow a clock the test moves.
#pragma once

#include <chrono>
#include <future>
#include <span>

#include "net/stream.hpp"
#include "net/testing/run_on.hpp"
#include "net/testing/shared_clock.hpp"
#include "net/worker.hpp"

#include <gtest/gtest.h>

namespace net::testing {

class WorkerFixture : public ::testing::Test {
protected:
    WorkerFixture() {
        worker.start();
    }

    template <class T>
    T run(base::Task<T> task) {
        return run_on(worker, std::move(task));
    }

    static base::Task<ErrorCode> wait(Stream& stream, Interest interest) {
        const ErrorCode error = co_await stream.wait(interest);
        co_return error;
    }

    static base::Task<ErrorCode> write_all(Stream& stream, std::span<const boost::asio::const_buffer> buffers) {
        UnsentBuffers unsent(buffers);
        while (!unsent.is_empty()) {
            IoResult result = stream.try_write(unsent.rest());
            if (would_block(result.error)) {
                result.error = co_await stream.wait(Interest::writable);
            }
            if (result.error) {
                co_return result.error;
            }
            unsent.consume(result.bytes);
        }
        co_return ErrorCode{};
    }

    // Moves the clock by `step` again and again until `result` is there: whatever it waits for, its deadline passes.
    template <class T>
    T advance_until(std::future<T> result, base::Duration step) {
        while (result.wait_for(std::chrono::milliseconds(10)) != std::future_status::ready) {
            clock.advance(step);
        }
        return result.get();
    }

    SharedClock clock;
    Worker worker{"test", 0, clock};
};

}  // namespace net::testing
