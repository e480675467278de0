// How much of MLflow's time our own calls take, those that no client waits for.
#pragma once

#include <functional>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"
#include "health/monitor.hpp"
#include "mlflow/upstream.hpp"

namespace mlflow {

// Lives on one worker.
class Pace {
public:
    struct Deps {
        const base::Clock& clock;
        health::Sleeper& sleeper;
        std::function<bool()> is_reachable;  // MLflow answers
        std::function<bool()> is_crowded;    // calls of clients wait for MLflow
    };

    explicit Pace(Deps deps) : deps_(std::move(deps)) {}

    // Before a question: until no client waits, or until `patience` has passed. cancelled: stop() was called;
    // unavailable: MLflow does not answer.
    base::Task<base::Result<void>> before_question(base::Duration patience = base::Duration::max());

    // After MLflow was busy with us for `busy`: leaves it to others for longer than that, `share` of all time being
    // ours.
    base::Task<> after_question(base::Duration busy, double share);

    // For `duration`, or until stopped and woken.
    base::Task<> rest(base::Duration duration);

    [[nodiscard]] bool is_reachable() const {
        return deps_.is_reachable();
    }

    [[nodiscard]] base::MonotonicTime now() const {
        return deps_.clock.now();
    }

    // The sleeper has to be woken besides.
    void stop() {
        is_stopping_ = true;
    }

    [[nodiscard]] bool is_stopping() const {
        return is_stopping_;
    }

private:
    Deps deps_;
    bool is_stopping_ = false;
};

// Of calls that are made only while the breaker is closed, and while no client waits for a place.
Pace::Deps pace_deps(const Upstream& upstream, const base::Clock& clock, health::Sleeper& sleeper);

}  // namespace mlflow
