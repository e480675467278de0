#include "replica/model_locks.hpp"

#include <algorithm>

#include "net/use_task.hpp"

#include <boost/asio/steady_timer.hpp>

namespace replica {

struct ModelLocks::Waiter {
    explicit Waiter(net::Worker& owner) : worker(owner), woken(owner.context()) {}

    net::Worker& worker;
    boost::asio::steady_timer woken;
    bool has_turn = false;
};

void ModelLocks::Wait::cancel() {
    is_cancelled_ = true;
    if (waiter_) {
        waiter_->woken.cancel();
    }
}

// A place in a queue, left whatever way the wait ends.
class ModelLocks::Queued {
public:
    Queued(ModelLocks& locks, const registry::ModelKey& key, std::shared_ptr<Waiter> waiter)
        : locks_(locks), key_(key), waiter_(std::move(waiter)) {}

    Queued(const Queued&) = delete;
    Queued& operator=(const Queued&) = delete;

    ~Queued() {
        if (leave()) {
            locks_.unlock(key_);
        }
    }

    // Whether the turn had come; then the lock is the caller's.
    bool leave() {
        if (has_left_) {
            return false;
        }
        has_left_ = true;
        const std::lock_guard guard(locks_.mutex_);
        if (!waiter_->has_turn) {
            std::erase(locks_.queues_.at(key_), waiter_);
        }
        return waiter_->has_turn;
    }

private:
    ModelLocks& locks_;
    const registry::ModelKey key_;
    const std::shared_ptr<Waiter> waiter_;
    bool has_left_ = false;
};

base::Task<base::Result<ModelLocks::Held>> ModelLocks::lock(net::Worker& worker,
                                                            registry::ModelKey key,
                                                            base::MonotonicTime give_up_at,
                                                            Wait& wait) {
    {
        const std::lock_guard guard(mutex_);
        const auto [queue, is_free] = queues_.try_emplace(key);
        if (is_free) {
            co_return Held(*this, std::move(key));
        }
        if (queue->second.size() >= kMaxWaiting) {
            co_return base::fail(base::Code::exhausted, "too many calls wait to change this model");
        }
        wait.waiter_ = std::make_shared<Waiter>(worker);
        queue->second.push_back(wait.waiter_);
    }
    Queued queued(*this, key, wait.waiter_);
    wait.waiter_->woken.expires_after(wait.is_cancelled_ ? base::Duration(0) : give_up_at - worker.now());
    co_await wait.waiter_->woken.async_wait(net::use_task);
    if (wait.is_cancelled_) {
        co_return base::fail(base::Code::cancelled, "the client went away while its call was waiting");
    }
    const bool has_turn = queued.leave();
    if (!has_turn) {
        co_return base::fail(base::Code::exhausted, "other calls that change this model take too long");
    }
    co_return Held(*this, std::move(key));
}

void ModelLocks::unlock(const registry::ModelKey& key) {
    const std::lock_guard guard(mutex_);
    const auto queue = queues_.find(key);
    if (queue->second.empty()) {
        queues_.erase(queue);
        return;
    }
    const std::shared_ptr<Waiter> next = queue->second.front();
    queue->second.pop_front();
    next->has_turn = true;
    next->worker.post([next] { next->woken.cancel(); });
}

std::size_t ModelLocks::waiting() const {
    const std::lock_guard guard(mutex_);
    std::size_t count = 0;
    for (const auto& [key, queue] : queues_) {
        count += queue.size();
    }
    return count;
}

}  // namespace replica
