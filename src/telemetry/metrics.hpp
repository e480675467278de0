// Prometheus metrics. Instruments are plain relaxed atomics on their own cache lines: the request path never takes a
// lock.
//
// Asking twice for the same name and labels gives two shards of one series, added up when scraped; so each worker asks
// for its own and no cache line travels between cores.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace telemetry {

// Pairs in the order they are printed. Values must come from a bounded set: never ids, paths or messages.
using Labels = std::vector<std::pair<std::string, std::string>>;

class alignas(64) Counter {
public:
    void add(std::uint64_t amount = 1) {
        value_.fetch_add(amount, std::memory_order_relaxed);
    }

    [[nodiscard]] std::uint64_t value() const {
        return value_.load(std::memory_order_relaxed);
    }

private:
    std::atomic<std::uint64_t> value_{0};
};

// Classic histogram of seconds.
class Histogram {
public:
    explicit Histogram(std::vector<double> upper_bounds);

    void observe(double seconds);

private:
    friend class Metrics;
    std::vector<double> upper_bounds_;
    std::deque<std::atomic<std::uint64_t>> counts_;  // one more than the bounds: the last one is +Inf
    std::atomic<std::uint64_t> sum_nanoseconds_{0};
};

// 5 ms to 10 s, the defaults of Prometheus clients, which the legacy dashboards use, and finer below.
const std::vector<double>& latency_buckets();

// The registry of one process. Creating instruments takes a lock; do it at start. References stay valid as long as the
// registry.
class Metrics {
public:
    Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
    Histogram& histogram(std::string_view name, std::string_view help, Labels labels = {});

    // `read` is called when scraped, from the scraping thread; it must not block.
    void gauge(std::string_view name, std::string_view help, Labels labels, std::function<double()> read);

    // A counter kept elsewhere.
    void counter_from(std::string_view name, std::string_view help, Labels labels, std::function<double()> read);

    // Text format 0.0.4.
    [[nodiscard]] std::string render() const;

private:
    enum class Kind { counter, gauge, histogram };

    struct Series {
        std::vector<const Counter*> counters;
        std::vector<const Histogram*> histograms;
        std::vector<std::function<double()>> readers;
    };

    struct Family {
        Kind kind = Kind::counter;
        std::string help;
        std::map<std::string, Series> series;  // by rendered labels
    };

    Series& series(std::string_view name, std::string_view help, Kind kind, const Labels& labels);
    static void render_histogram(std::string& out,
                                 const std::string& name,
                                 const std::string& labels,
                                 const Series& series);

    mutable std::mutex mutex_;  // guards everything below
    std::map<std::string, Family, std::less<>> families_;
    std::deque<Counter> counters_;
    std::deque<Histogram> histograms_;
};

}  // namespace telemetry
