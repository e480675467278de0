#include "resilience/adaptive_limit.hpp"

#include <algorithm>
#include <cmath>

#include "base/ensure.hpp"

namespace resilience {

namespace {

// Envoy's and concurrency-limits' own values, but for the number of samples: registry traffic is thin.
constexpr double kTolerance = 1.5;
constexpr double kSteepestGradient = 0.5;
constexpr double kDropFactor = 0.9;
constexpr base::Duration kShortestWindow = std::chrono::milliseconds(100);
constexpr std::size_t kFewestSamples = 16;
constexpr base::Duration kProbeInterval = std::chrono::seconds(60);
constexpr base::Duration kLongestProbe = std::chrono::seconds(2);
// Steps of a streaming estimate of the median, as a share of it ("Frugal Streaming for Estimating Quantiles", Ma,
// Muthukrishnan and Sandler 2013): one outlier of any size moves it by no more than this.
constexpr double kMedianStep = 0.05;

double to_seconds(base::Duration duration) {
    return std::max(std::chrono::duration<double>(duration).count(), 1e-6);
}

}  // namespace

AdaptiveLimit::AdaptiveLimit(std::size_t lower, std::size_t upper)
    : lower_(static_cast<double>(lower)), upper_(static_cast<double>(upper)), limit_(upper_) {
    ENSURE(lower >= 1 && lower <= upper, "a limit of none would never let a call through");
}

std::size_t AdaptiveLimit::limit(base::MonotonicTime now) const {
    return static_cast<std::size_t>(now < probe_ends_ ? lower_ : limit_);
}

void AdaptiveLimit::record(const CallSample& sample, base::MonotonicTime now) {
    if (lower_ == upper_) {
        return;
    }
    const auto in_flight = static_cast<double>(sample.in_flight);
    if (sample.was_dropped) {
        if (now - window_.began >= kShortestWindow) {
            limit_ = std::max(lower_, limit_ * kDropFactor);
            begin_window(now);
        }
        return;
    }
    double& unloaded = unloaded_seconds_[sample.traffic_class % kClasses];
    const double seconds = to_seconds(sample.round_trip);
    if (in_flight <= lower_) {
        learn_unloaded(unloaded, seconds, now);
    } else if (in_flight >= limit_ && now >= next_probe_) {
        begin_probe(now);
    }
    // Calls begun before the limit last changed say nothing about the limit there is now.
    if (unloaded == 0 || now - sample.round_trip < window_.began) {
        return;
    }
    window_.most_in_flight = std::max(window_.most_in_flight, sample.in_flight);
    window_.ratios[window_.count++ % kWindowSize] = seconds / unloaded;
    if (window_.count >= kFewestSamples && now - window_.began >= kShortestWindow) {
        end_window(now);
    }
}

void AdaptiveLimit::learn_unloaded(double& unloaded, double seconds, base::MonotonicTime now) {
    unloaded = unloaded == 0 ? seconds : unloaded * (seconds > unloaded ? 1 + kMedianStep : 1 - kMedianStep);
    next_probe_ = now + kProbeInterval;
    if (now < probe_ends_ && ++probe_samples_ >= kFewestSamples) {
        probe_ends_ = now;
        begin_window(now);
    }
}

void AdaptiveLimit::begin_probe(base::MonotonicTime now) {
    probe_samples_ = 0;
    probe_ends_ = now + kLongestProbe;
    next_probe_ = now + kProbeInterval;
    begin_window(probe_ends_);
}

void AdaptiveLimit::begin_window(base::MonotonicTime now) {
    window_.began = now;
    window_.count = 0;
    window_.most_in_flight = 0;
}

void AdaptiveLimit::end_window(base::MonotonicTime now) {
    const double gradient = std::clamp(kTolerance / median_ratio(), kSteepestGradient, 1.0);
    const double target = std::clamp(limit_ * gradient + std::sqrt(limit_), lower_, upper_);
    const bool is_used = 2 * static_cast<double>(window_.most_in_flight) >= limit_;
    if (is_used || target < limit_) {
        limit_ = target;
    }
    begin_window(now);
}

double AdaptiveLimit::median_ratio() {
    const auto begin = window_.ratios.begin();
    const auto end = begin + static_cast<std::ptrdiff_t>(std::min(window_.count, kWindowSize));
    const auto middle = begin + (end - begin) / 2;
    std::nth_element(begin, middle, end);
    return *middle;
}

}  // namespace resilience
