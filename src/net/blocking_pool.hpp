// Threads for calls that block: SQLite, files. Bounded in number and in time, so that a stuck disk refuses promptly
// instead of holding up whoever asked.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/task.hpp"
#include "net/use_task.hpp"
#include "net/worker.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

namespace net {

class BlockingPool {
public:
    // `capacity`: jobs waiting or running at once.
    BlockingPool(std::size_t threads, std::size_t capacity) : capacity_(capacity), pool_(threads) {}

    // Runs `job`, which gives a base::Result, and resumes the caller on `worker`, which must outlive the pool.
    // Code::exhausted when the pool is full, Code::deadline_exceeded when `limit` passes first; the job then goes on
    // alone, so it must own what it uses, or use what outlives the pool.
    template <class Job>
    auto run(Worker& worker, base::Duration limit, Job job) -> base::Task<decltype(job())> {
        using Outcome = decltype(job());

        struct Call {
            explicit Call(Worker& owner) : done(owner.context()) {}

            boost::asio::steady_timer done;
            std::optional<Outcome> outcome;
        };

        if (pending_.fetch_add(1) >= capacity_) {
            pending_.fetch_sub(1);
            co_return base::fail(base::Code::exhausted, "too many operations wait for the disk; try again shortly");
        }
        auto call = std::make_shared<Call>(worker);
        call->done.expires_after(limit);
        boost::asio::post(pool_, [this, call, &worker, job = std::move(job)]() mutable {
            auto outcome = std::make_shared<Outcome>(guarded<Outcome>(job));
            pending_.fetch_sub(1);
            // The timer goes along: it must not outlive the worker here.
            worker.post([call = std::move(call), outcome = std::move(outcome)] {
                call->outcome = std::move(*outcome);
                call->done.cancel();
            });
        });
        co_await call->done.async_wait(use_task);
        if (call->outcome) {
            co_return std::move(*call->outcome);
        }
        co_return base::fail(base::Code::deadline_exceeded, "the disk did not answer in time");
    }

    // Whether no job is waiting or running.
    [[nodiscard]] bool is_idle() const {
        return pending_.load() == 0;
    }

    // Waits for running jobs; nothing may be run afterwards.
    void join() {
        pool_.join();
    }

private:
    template <class Outcome, class Job>
    static Outcome guarded(Job& job) {
        try {
            return job();
        } catch (const std::exception& error) {
            return base::fail(base::Code::internal, error.what());
        }
    }

    std::size_t capacity_;
    std::atomic<std::size_t> pending_{0};
    boost::asio::thread_pool pool_;
};

}  // namespace net
