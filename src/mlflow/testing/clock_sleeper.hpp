// A sleep during which simulated time passes at once.
#pragma once

#include "base/task.hpp"
#include "health/monitor.hpp"
#include "net/testing/shared_clock.hpp"
#include "net/worker.hpp"

namespace mlflow::testing {

class ClockSleeper final : public health::Sleeper {
public:
    ClockSleeper(net::testing::SharedClock& clock, net::Worker& worker) : clock_(clock), worker_(worker) {}

    base::Task<> wait_until(base::MonotonicTime time) override {
        co_await net::resume_on(worker_);
        if (time > clock_.now()) {
            clock_.advance(time - clock_.now());
        }
    }

private:
    net::testing::SharedClock& clock_;
    net::Worker& worker_;
};

}  // namespace mlflow::testing
