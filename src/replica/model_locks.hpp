// One writer at a time for each model, over all workers.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"
#include "net/worker.hpp"
#include "registry/entities.hpp"

namespace replica {

// Safe from any worker; in the order of arrival. Outlives everything it hands out.
class ModelLocks {
public:
    static constexpr std::size_t kMaxWaiting = 256;  // for one model

    struct Waiter;

    // The right to change one model; given back when destroyed.
    class Held {
    public:
        Held(ModelLocks& locks, registry::ModelKey key) : locks_(&locks), key_(std::move(key)) {}

        Held(Held&& other) noexcept : locks_(std::exchange(other.locks_, nullptr)), key_(std::move(other.key_)) {}

        Held& operator=(Held&& other) noexcept {
            std::swap(locks_, other.locks_);
            std::swap(key_, other.key_);
            return *this;
        }

        ~Held() {
            if (locks_ != nullptr) {
                locks_->unlock(key_);
            }
        }

    private:
        ModelLocks* locks_;
        registry::ModelKey key_;
    };

    // Lets the owner of a call end its wait, on the call's own worker.
    class Wait {
    public:
        void cancel();

    private:
        friend class ModelLocks;
        std::shared_ptr<Waiter> waiter_;
        bool is_cancelled_ = false;
    };

    // Code::exhausted: too many wait already, or `give_up_at` came first; Code::cancelled: `wait` was cancelled.
    base::Task<base::Result<Held>> lock(net::Worker& worker,
                                        registry::ModelKey key,
                                        base::MonotonicTime give_up_at,
                                        Wait& wait);

    [[nodiscard]] std::size_t waiting() const;

private:
    class Queued;

    void unlock(const registry::ModelKey& key);

    mutable std::mutex mutex_;  // guards all below, and whether a Waiter's turn has come
    std::map<registry::ModelKey, std::deque<std::shared_ptr<Waiter>>> queues_;  // of the models that are locked
};

}  // namespace replica
