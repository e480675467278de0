// How many calls a peer can take at once, learnt from how long it takes to answer them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace resilience {

// One call that is over.
struct CallSample {
    std::size_t traffic_class = 0;  // calls are compared with their like only; any number
    base::Duration round_trip{};
    std::size_t in_flight = 0;  // itself included; the larger of when it began and when it ended
    bool was_dropped = false;   // overload said (429, 503) or shown (no answer in time)
};

// The latency gradient of Envoy's adaptive concurrency filter (source/extensions/filters/http/adaptive_concurrency/
// controller/gradient_controller.cc): after each window of answers
//
//     limit = limit * clamp(tolerance * unloaded / measured, 0.5, 1) + sqrt(limit)
//
// where the last term is the queue the peer is allowed. Three things differ, because calls differ: an alias look-up
// takes 5 ms, a search up to 25 s.
// - Times are compared within a class of calls, as a ratio to that class's unloaded time, and the window counts by the
//   median of its ratios: neither another mix nor a slow search looks like overload.
// - The unloaded time is learnt from calls that ran beside at most `lower` others, whenever that happens; only if it
//   has not happened for long while calls wait, the limit goes to `lower` for a moment (Envoy always does).
// - From Netflix's concurrency-limits (Gradient2Limit, AIMDLimit): the clamp, the tolerance, no growth while less than
//   half of the limit is used, and a tenth less after a dropped call.
//
// Pure and not thread-safe. Allocates nothing.
class AdaptiveLimit {
public:
    // 1 <= lower <= upper; starts at `upper`, and stays there when they are equal.
    AdaptiveLimit(std::size_t lower, std::size_t upper);

    void record(const CallSample& sample, base::MonotonicTime now);

    // The current limit; may change with time alone.
    [[nodiscard]] std::size_t limit(base::MonotonicTime now) const;

private:
    static constexpr std::size_t kClasses = 64;
    static constexpr std::size_t kWindowSize = 64;

    struct Window {
        base::MonotonicTime began;
        std::array<double, kWindowSize> ratios{};  // the newest ones
        std::size_t count = 0;
        std::size_t most_in_flight = 0;
    };

    void learn_unloaded(double& unloaded, double seconds, base::MonotonicTime now);
    void begin_window(base::MonotonicTime now);
    void end_window(base::MonotonicTime now);
    void begin_probe(base::MonotonicTime now);
    [[nodiscard]] double median_ratio();

    const double lower_;
    const double upper_;
    double limit_;
    std::array<double, kClasses> unloaded_seconds_{};  // 0: not known
    base::MonotonicTime next_probe_ = base::MonotonicTime::min();
    base::MonotonicTime probe_ends_ = base::MonotonicTime::min();
    std::size_t probe_samples_ = 0;
    Window window_{};
};

}  // namespace resilience
