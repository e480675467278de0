#include <memory>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "benchmarks.hpp"
#include "mlflow/admission_gate.hpp"
#include "net/worker.hpp"
#include "resilience/circuit_breaker.hpp"
#include "resilience/concurrency_limit.hpp"
#include "resilience/retry_budget.hpp"

namespace primitives {

namespace {

constexpr std::size_t kMany = 1'000'000;
constexpr base::Duration kStep = std::chrono::microseconds(1);  // between two calls, so that windows move on
constexpr base::SystemClock kClock{};
constexpr resilience::CallerId kCaller = 1;

struct Breaker {
    base::SeededRandom random{1};
    base::MonotonicTime start = kClock.now();
    // As in front of MLflow: the monitor's probes are the trials.
    resilience::CircuitBreaker breaker{"mlflow", {.probes_only_in_half_open = true}, random, start};
};

std::shared_ptr<Breaker> open_breaker() {
    auto shared = std::make_shared<Breaker>();
    while (shared->breaker.state() == resilience::BreakerState::closed) {
        shared->breaker.admit(shared->start)->report(resilience::Outcome::failure, shared->start);
    }
    return shared;
}

auto admit_and_report() {
    auto shared = std::make_shared<Breaker>();
    return [shared, now = shared->start]() mutable {
        auto permit = shared->breaker.admit(now += kStep);
        keep(permit);
        permit->report(resilience::Outcome::success, now += kStep);
    };
}

auto admit_and_report_at_clock_time() {
    return [shared = std::make_shared<Breaker>()] {
        auto permit = shared->breaker.admit(kClock.now());
        keep(permit);
        permit->report(resilience::Outcome::success, kClock.now());
    };
}

// Every fourth call fails: too few to open the breaker, and a failure takes the lock.
auto admit_and_report_failures() {
    auto shared = std::make_shared<Breaker>();
    return [shared, now = shared->start, calls = 0U]() mutable {
        const auto outcome = ++calls % 4 == 0 ? resilience::Outcome::failure : resilience::Outcome::success;
        shared->breaker.admit(now += kStep)->report(outcome, now += kStep);
    };
}

auto refuse() {
    return [shared = open_breaker()] { keep(shared->breaker.admit(shared->start)); };
}

auto retry_budget() {
    auto budget = std::make_shared<resilience::RetryBudget>(resilience::RetryBudgetSettings{}, kClock.now());
    return [budget, now = kClock.now()]() mutable {
        budget->count_request(now += kStep);
        keep(budget->try_spend(now));
    };
}

auto enter_and_leave_limit() {
    auto limit = std::make_shared<resilience::ConcurrencyLimit>(resilience::ConcurrencySettings{});
    return [limit, now = kClock.now()]() mutable {
        const resilience::Entry entry = limit->enter(kCaller, std::chrono::seconds(1), now += kStep);
        limit->leave(entry.admission, resilience::CallResult{.round_trip = std::chrono::milliseconds(5)}, now += kStep);
        keep(limit->next_turn(now));
    };
}

base::Task<> pass(mlflow::AdmissionGate& gate, net::Worker& worker, std::size_t times, bool& is_done) {
    for (std::size_t i = 0; i < times; ++i) {
        mlflow::AdmissionGate::Wait wait;
        auto place = co_await gate.enter(worker, kCaller, base::MonotonicTime::max(), wait);
        keep(place);
    }
    is_done = true;
}

// The gate around the limit: its mutex, and a coroutine that does not suspend.
Loop enter_and_leave_gate() {
    auto gate = std::make_shared<mlflow::AdmissionGate>(resilience::ConcurrencySettings{});
    auto worker = std::make_shared<net::Worker>("gate", 0, kClock);
    return [gate, worker](std::size_t times) {
        bool is_done = false;
        worker->tasks().spawn("gate", pass(*gate, *worker, times, is_done));
        while (!is_done) {
            worker->context().run_one();
        }
    };
}

}  // namespace

std::vector<Benchmark> resilience_benchmarks() {
    std::vector<Benchmark> all;
    all.push_back(on_one_thread("breaker_admit_report", kMany, admit_and_report()));
    all.push_back(on_two_threads("breaker_admit_report_2_threads", kMany, admit_and_report()));
    all.push_back(on_one_thread("breaker_admit_report_with_clock", kMany, admit_and_report_at_clock_time()));
    all.push_back(on_one_thread("breaker_quarter_failures", kMany / 4, admit_and_report_failures()));
    all.push_back(on_one_thread("breaker_refusal", kMany, refuse()));
    all.push_back(on_two_threads("breaker_refusal_2_threads", kMany, refuse()));
    all.push_back(on_one_thread("retry_budget", kMany / 4, retry_budget()));
    all.push_back(on_one_thread("concurrency_limit", kMany, enter_and_leave_limit()));
    std::vector<Loop> gate;
    gate.push_back(enter_and_leave_gate());
    all.push_back({"admission_gate", kMany / 10, std::move(gate)});
    return all;
}

}  // namespace primitives
