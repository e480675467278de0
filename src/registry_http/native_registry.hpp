// The native registry as HTTP sees it: calls in, MLflow's answers out.
#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"
#include "http/message.hpp"
#include "net/blocking_pool.hpp"
#include "net/worker.hpp"
#include "registry/call.hpp"
#include "registry/registry.hpp"

#include <boost/json/object.hpp>

namespace registry_http {

// Safe from any worker. What it refers to outlives it; workers outlive the pools.
class NativeRegistry {
public:
    // Longer than a search through everything takes, shorter than any client waits.
    static constexpr base::Duration kPatience = std::chrono::seconds(30);

    // Reads have a pool of their own, so that they never wait for the disk to take the writes before them.
    NativeRegistry(registry::Registry& registry,
                   net::BlockingPool& reads,
                   net::BlockingPool& writes,
                   base::Duration patience = kPatience)
        : registry_(registry), reads_(reads), writes_(writes), patience_(patience) {}

    // What MLflow would answer. 503 with Retry-After when nothing was done: the store is in trouble, or too many calls
    // wait for it. 504 for a write that had begun and did not end in time.
    base::Task<http::Response> answer(net::Worker& worker, registry::Call call);

private:
    using Outcome = base::Result<std::string>;

    Outcome carry_out(const registry::Call& call);
    void note(const base::Result<boost::json::object>& answer);

    registry::Registry& registry_;
    net::BlockingPool& reads_;
    net::BlockingPool& writes_;
    const base::Duration patience_;
    std::atomic<bool> is_failing_{false};  // the store; for the log
};

}  // namespace registry_http
