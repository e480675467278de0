// Probes and sleep that a test steers, on simulated time.
#pragma once

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/testing/manual_clock.hpp"
#include "health/monitor.hpp"
#include "net/use_task.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace health::testing {

// Answers at once with what the test put into it.
class FakeProbe final : public Probe {
public:
    explicit FakeProbe(base::testing::ManualClock& clock) : clock_(clock) {}

    base::Task<ProbeResult> run() override {
        runs.push_back(clock_.now());
        if (breaks) {
            throw std::runtime_error("broken probe");
        }
        clock_.advance(takes);
        co_return answer;
    }

    ProbeResult answer{.passed = true, .status_code = 200};
    base::Duration takes{};
    bool breaks = false;
    std::vector<base::MonotonicTime> runs;  // when each began

private:
    base::testing::ManualClock& clock_;
};

// Holds every sleeper until the test lets the time come: wake_due() after moving the clock.
class ManualSleeper final : public Sleeper {
public:
    ManualSleeper(boost::asio::io_context& context, base::testing::ManualClock& clock)
        : context_(context), clock_(clock) {}

    base::Task<> wait_until(base::MonotonicTime time) override {
        auto timer =
            std::make_shared<boost::asio::steady_timer>(context_, boost::asio::steady_timer::time_point::max());
        sleepers_.emplace_back(time, timer);
        co_await timer->async_wait(net::use_task);
    }

    [[nodiscard]] bool has_sleepers() const {
        return !sleepers_.empty();
    }

    [[nodiscard]] base::MonotonicTime next_wake() const {
        base::MonotonicTime next = base::MonotonicTime::max();
        for (const auto& [time, timer] : sleepers_) {
            next = std::min(next, time);
        }
        return next;
    }

    void wake_due() {
        wake_up_to(clock_.now());
    }

    void wake_all() {
        wake_up_to(base::MonotonicTime::max());
    }

private:
    void wake_up_to(base::MonotonicTime limit) {
        auto waiting = std::exchange(sleepers_, {});
        for (auto& [time, timer] : waiting) {
            if (time <= limit) {
                timer->cancel();
            } else {
                sleepers_.emplace_back(time, timer);
            }
        }
    }

    boost::asio::io_context& context_;
    base::testing::ManualClock& clock_;
    std::vector<std::pair<base::MonotonicTime, std::shared_ptr<boost::asio::steady_timer>>> sleepers_;
};

}  // namespace health::testing
