// A gate and those who want in, on one worker.
#pragma once

#include <chrono>
#include <optional>
#include <utility>

#include "base/clock.hpp"
#include "mlflow/admission_gate.hpp"
#include "net/worker.hpp"

#include <gtest/gtest.h>

namespace mlflow {

// Real time, and as much more as a test wants to have passed.
class ShiftedClock final : public base::Clock {
public:
    [[nodiscard]] base::MonotonicTime now() const override {
        return clock_.now() + shift_;
    }

    [[nodiscard]] base::WallTime wall_now() const override {
        return clock_.wall_now();
    }

    void advance(base::Duration duration) {
        shift_ += duration;
    }

private:
    base::SystemClock clock_;
    base::Duration shift_{};
};

inline constexpr resilience::CallerId kGreedy = 1;
inline constexpr resilience::CallerId kModest = 2;

// Somebody who wants in, and what came of it.
struct GateCaller {
    AdmissionGate::Wait wait{};
    std::optional<base::Result<AdmissionGate::Place>> answer{};
    resilience::CallerId id = kGreedy;

    [[nodiscard]] bool is_refused(base::Code code = base::Code::exhausted) const {
        return answer && !answer->has_value() && answer->error().code == code;
    }

    [[nodiscard]] bool is_in() const {
        return answer && answer->has_value();
    }

    void leave() {
        answer->value().release();
    }
};

inline base::Task<> enter_gate(AdmissionGate& gate,
                               net::Worker& worker,
                               base::MonotonicTime give_up_at,
                               GateCaller& caller) {
    base::Result<AdmissionGate::Place> answer = co_await gate.enter(worker, caller.id, give_up_at, caller.wait);
    caller.answer.emplace(std::move(answer));
}

// One worker without a thread: everything happens in settle().
class AdmissionGateTest : public ::testing::Test {
protected:
    void settle() {
        worker_.context().poll();
    }

    void begin(AdmissionGate& gate, GateCaller& caller, base::Duration patience = std::chrono::hours(1)) {
        worker_.tasks().spawn("enter", enter_gate(gate, worker_, clock_.now() + patience, caller));
    }

    void enter(AdmissionGate& gate, GateCaller& caller, base::Duration patience = std::chrono::hours(1)) {
        begin(gate, caller, patience);
        settle();
    }

    // A test ends with nobody waiting: the gate goes before the worker.
    void send_away(AdmissionGate& gate) {
        gate.turn_away_waiting();
        settle();
    }

    AdmissionGate::Figures figures(const AdmissionGate& gate) {
        return gate.figures(clock_.now());
    }

    ShiftedClock clock_;
    net::Worker worker_{"gate", 0, clock_};
};

}  // namespace mlflow
