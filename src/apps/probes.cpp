#include "apps/probes.hpp"

#include "net/use_task.hpp"

namespace apps {

base::Task<> WorkerSleeper::wait_until(base::MonotonicTime time) {
    if (is_awake_) {
        co_return;
    }
    boost::asio::steady_timer timer(worker_.context());
    timer.expires_at(time);
    const auto place = sleeping_.insert(sleeping_.end(), &timer);
    co_await timer.async_wait(net::use_task);
    sleeping_.erase(place);
}

void WorkerSleeper::wake_all() {
    is_awake_ = true;
    for (boost::asio::steady_timer* timer : sleeping_) {
        timer->cancel();
    }
}

base::Task<health::ProbeResult> StoreProbe::run() {
    const base::MonotonicTime started_at = worker_.now();
    const base::Result<void> written =
        co_await pool_.run(worker_, deadline_, [&database = database_] { return storage::check_store(database); });
    health::ProbeResult result;
    result.passed = written.has_value();
    result.latency = worker_.now() - started_at;
    if (!written) {
        result.error = written.error().message;
        result.kind = written.error().code == base::Code::deadline_exceeded ? health::kTimeout : "store";
    }
    co_return result;
}

}  // namespace apps
