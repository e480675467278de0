#include "mlflow/pace.hpp"

#include <algorithm>

namespace mlflow {

namespace {

constexpr auto kCrowdedRest = std::chrono::milliseconds(250);
constexpr base::Duration kLongestRest = std::chrono::seconds(10);

}  // namespace

base::Task<base::Result<void>> Pace::before_question(base::Duration patience) {
    const base::MonotonicTime began = deps_.clock.now();
    while (!is_stopping_ && deps_.is_reachable() && deps_.is_crowded() && deps_.clock.now() - began < patience) {
        co_await rest(kCrowdedRest);
    }
    if (is_stopping_) {
        co_return base::fail(base::Code::cancelled, "this process is being stopped");
    }
    if (!deps_.is_reachable()) {
        co_return base::fail(base::Code::unavailable, "MLflow does not answer");
    }
    co_return base::Result<void>();
}

base::Task<> Pace::after_question(base::Duration busy, double share) {
    const auto pause = std::chrono::duration_cast<base::Duration>(busy * (1.0 / share - 1.0));
    co_await rest(std::min(pause, kLongestRest));
}

base::Task<> Pace::rest(base::Duration duration) {
    if (!is_stopping_ && duration > base::Duration(0)) {
        co_await deps_.sleeper.wait_until(deps_.clock.now() + duration);
    }
}

Pace::Deps pace_deps(const Upstream& upstream, const base::Clock& clock, health::Sleeper& sleeper) {
    return {clock,
            sleeper,
            [&upstream] { return upstream.breaker.state() == resilience::BreakerState::closed; },
            [&upstream, &clock] { return upstream.api_gate.figures(clock.now()).queued > 0; }};
}

}  // namespace mlflow
