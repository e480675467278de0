#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "benchmarks.hpp"
#include "net/deadline.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"
#include "telemetry/trace_context.hpp"

namespace primitives {

namespace {

constexpr std::size_t kMany = 1'000'000;
constexpr std::size_t kLogLines = 4'000;  // fewer than the queue holds
constexpr base::SystemClock kClock{};

struct Timer {
    base::MonotonicTime now = kClock.now();
    net::DeadlineWheel wheel{now};
    net::Deadline deadline{wheel, [] {}};
};

auto set_and_clear() {
    return [timer = std::make_shared<Timer>()] {
        timer->deadline.set(timer->now + std::chrono::seconds(60));
        timer->deadline.clear();
    };
}

auto move_later() {
    return [timer = std::make_shared<Timer>()] {
        timer->now += std::chrono::microseconds(1);
        timer->deadline.set(timer->now + std::chrono::seconds(60));
    };
}

auto observe() {
    auto metrics = std::make_shared<telemetry::Metrics>();
    telemetry::Counter& counter = metrics->counter("requests_total", "Requests.");
    telemetry::Histogram& histogram = metrics->histogram("request_seconds", "Seconds.", {{"route", "mlflow"}});
    return [metrics, &counter, &histogram] {
        counter.add();
        histogram.observe(0.0042);
    };
}

auto continue_trace() {
    return [random = base::SeededRandom(1)]() mutable {
        const auto parent = telemetry::parse_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        keep(telemetry::to_traceparent(telemetry::next_span(parent, random)));
    };
}

void write_log_line() {
    telemetry::log_info("request",
                        {{"method", "GET"},
                         {"route", "mlflow"},
                         {"status", 200},
                         {"seconds", 0.0042},
                         {"request_id", "0123456789abcdef"},
                         {"key_id", "00000000-0000-4000-8000-000000000000"}});
}

}  // namespace

std::vector<Benchmark> service_benchmarks() {
    std::vector<Benchmark> all;
    all.push_back(on_one_thread("clock_read", kMany, [] { keep(kClock.now()); }));
    all.push_back(on_one_thread("deadline_set_clear", kMany, set_and_clear()));
    all.push_back(on_one_thread("deadline_move", kMany, move_later()));
    all.push_back(on_one_thread("metrics_observe", kMany, observe()));
    all.push_back(on_one_thread("trace_context", kMany / 10, continue_trace()));
    all.push_back(on_one_thread("log_line_enqueue", kLogLines, write_log_line));
    all.push_back(on_one_thread("log_line_below_level", kMany, [] { telemetry::log_debug("ignored", {{"n", 1}}); }));
    return all;
}

}  // namespace primitives
