// Keeps a KeyRing equal to the store: keys made or revoked by any process count within a second, a key nobody knows is
// looked for at once.
#pragma once

#include <atomic>
#include <cstdint>

#include "auth/key_ring.hpp"
#include "auth/key_store.hpp"
#include "base/task.hpp"
#include "net/blocking_pool.hpp"
#include "net/worker.hpp"

#include <boost/asio/steady_timer.hpp>

namespace auth {

// run() lives on the control worker. Everything given outlives it.
class KeyRefresher {
public:
    KeyRefresher(net::Worker& control, net::BlockingPool& pool, KeyStore& store, KeyRing& ring);

    // Every second, and when asked; also records when keys were last used. Until stop().
    base::Task<> run();
    void stop();

    // From any worker: until the store has been looked at once more, or `limit` has passed. Answers whether it was.
    base::Task<bool> refresh(net::Worker& worker, base::Duration limit);

private:
    base::Task<> look();
    base::Task<> record_last_used();

    net::Worker& control_;
    net::BlockingPool& pool_;
    KeyStore& store_;
    KeyRing& ring_;
    boost::asio::steady_timer pause_;
    std::atomic<std::uint64_t> looks_begun_{0};
    std::atomic<std::uint64_t> looks_done_{0};  // successfully; the number of the last one begun
    std::uint64_t counter_ = 0;                 // of the store, when it was last loaded
    base::MonotonicTime recorded_at_;
    bool has_loaded_ = false;
    bool is_asked_ = false;
    bool is_resting_ = false;  // in the long pause, which being asked ends
    bool is_failing_ = false;
    bool is_stopping_ = false;
};

}  // namespace auth
