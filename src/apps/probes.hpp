// What the health monitor needs of this process: time on the control worker, and the question whether the store still
// writes.
#pragma once

#include <list>
#include <memory>

#include "health/monitor.hpp"
#include "net/blocking_pool.hpp"
#include "net/worker.hpp"
#include "storage/sqlite_database.hpp"

#include <boost/asio/steady_timer.hpp>

namespace apps {

class WorkerSleeper final : public health::Sleeper {
public:
    explicit WorkerSleeper(net::Worker& worker) : worker_(worker) {}

    base::Task<> wait_until(base::MonotonicTime time) override;

    // On the worker: everybody wakes now, and nobody sleeps any more.
    void wake_all();

private:
    net::Worker& worker_;
    std::list<boost::asio::steady_timer*> sleeping_;
    bool is_awake_ = false;
};

// Makes a small durable write on a connection of its own.
class StoreProbe final : public health::Probe {
public:
    StoreProbe(net::Worker& worker, net::BlockingPool& pool, storage::SqliteDatabase& database, base::Duration deadline)
        : worker_(worker), pool_(pool), database_(database), deadline_(deadline) {}

    base::Task<health::ProbeResult> run() override;

private:
    net::Worker& worker_;
    net::BlockingPool& pool_;
    storage::SqliteDatabase& database_;
    base::Duration deadline_;
};

}  // namespace apps
