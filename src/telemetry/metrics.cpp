#include "telemetry/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/ensure.hpp"

#include <fmt/format.h>

namespace telemetry {

namespace {

std::string render_labels(const Labels& labels) {
    std::string text;
    for (const auto& [name, value] : labels) {
        text += text.empty() ? "" : ",";
        text += name + "=\"";
        for (const char c : value) {
            if (c == '\\' || c == '"') {
                text.push_back('\\');
                text.push_back(c);
            } else if (c == '\n') {
                text += "\\n";
            } else {
                text.push_back(c);
            }
        }
        text.push_back('"');
    }
    return text;
}

std::string with_braces(const std::string& labels) {
    return labels.empty() ? std::string() : "{" + labels + "}";
}

}  // namespace

const std::vector<double>& latency_buckets() {
    static const std::vector<double> buckets{
        0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10};
    return buckets;
}

Histogram::Histogram(std::vector<double> upper_bounds)
    : upper_bounds_(std::move(upper_bounds)), counts_(upper_bounds_.size() + 1) {}

void Histogram::observe(double seconds) {
    const auto bound = std::lower_bound(upper_bounds_.begin(), upper_bounds_.end(), seconds);
    const auto index = static_cast<std::size_t>(std::distance(upper_bounds_.begin(), bound));
    counts_[index].fetch_add(1, std::memory_order_relaxed);
    sum_nanoseconds_.fetch_add(static_cast<std::uint64_t>(std::max(0.0, seconds) * 1e9), std::memory_order_relaxed);
}

Metrics::Series& Metrics::series(std::string_view name, std::string_view help, Kind kind, const Labels& labels) {
    auto [family, is_new] = families_.try_emplace(std::string(name));
    if (is_new) {
        family->second.kind = kind;
        family->second.help = help;
    }
    ENSURE(family->second.kind == kind, "one metric name has one type");
    return family->second.series[render_labels(labels)];
}

Counter& Metrics::counter(std::string_view name, std::string_view help, Labels labels) {
    const std::lock_guard lock(mutex_);
    Counter& shard = counters_.emplace_back();
    series(name, help, Kind::counter, labels).counters.push_back(&shard);
    return shard;
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help, Labels labels) {
    const std::lock_guard lock(mutex_);
    Histogram& shard = histograms_.emplace_back(latency_buckets());
    series(name, help, Kind::histogram, labels).histograms.push_back(&shard);
    return shard;
}

void Metrics::gauge(std::string_view name, std::string_view help, Labels labels, std::function<double()> read) {
    const std::lock_guard lock(mutex_);
    series(name, help, Kind::gauge, labels).readers.push_back(std::move(read));
}

void Metrics::counter_from(std::string_view name, std::string_view help, Labels labels, std::function<double()> read) {
    const std::lock_guard lock(mutex_);
    series(name, help, Kind::counter, labels).readers.push_back(std::move(read));
}

void Metrics::render_histogram(std::string& out,
                               const std::string& name,
                               const std::string& labels,
                               const Series& series) {
    const std::vector<double>& bounds = latency_buckets();
    const std::string separator = labels.empty() ? "" : ",";
    std::uint64_t cumulative = 0;
    std::uint64_t nanoseconds = 0;
    for (std::size_t i = 0; i <= bounds.size(); ++i) {
        for (const Histogram* shard : series.histograms) {
            cumulative += shard->counts_[i].load(std::memory_order_relaxed);
        }
        const std::string bound = i < bounds.size() ? fmt::format("{}", bounds[i]) : "+Inf";
        fmt::format_to(
            std::back_inserter(out), "{}_bucket{{{}{}le=\"{}\"}} {}\n", name, labels, separator, bound, cumulative);
    }
    for (const Histogram* shard : series.histograms) {
        nanoseconds += shard->sum_nanoseconds_.load(std::memory_order_relaxed);
    }
    fmt::format_to(
        std::back_inserter(out), "{}_sum{} {}\n", name, with_braces(labels), static_cast<double>(nanoseconds) / 1e9);
    fmt::format_to(std::back_inserter(out), "{}_count{} {}\n", name, with_braces(labels), cumulative);
}

std::string Metrics::render() const {
    static constexpr std::array<std::string_view, 3> kKindNames{"counter", "gauge", "histogram"};
    const std::lock_guard lock(mutex_);
    std::string out;
    for (const auto& [name, family] : families_) {
        fmt::format_to(std::back_inserter(out),
                       "# HELP {} {}\n# TYPE {} {}\n",
                       name,
                       family.help,
                       name,
                       kKindNames.at(static_cast<std::size_t>(family.kind)));
        for (const auto& [labels, series] : family.series) {
            if (family.kind == Kind::histogram) {
                render_histogram(out, name, labels, series);
                continue;
            }
            double value = 0;
            for (const Counter* shard : series.counters) {
                value += static_cast<double>(shard->value());
            }
            for (const auto& read : series.readers) {
                value += read();
            }
            fmt::format_to(std::back_inserter(out), "{}{} {}\n", name, with_braces(labels), value);
        }
    }
    return out;
}

}  // namespace telemetry
