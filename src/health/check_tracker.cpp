#include "health/check_tracker.hpp"

#include <utility>

#include <fmt/format.h>

namespace health {

namespace {

constexpr double kProbeJitter = 0.1;

}  // namespace

ProbeResult judge_lateness(ProbeResult result, base::Duration elapsed, base::Duration deadline) {
    result.latency = elapsed;
    if (!result.passed || elapsed <= deadline) {
        return result;
    }
    result.passed = false;
    result.kind = kTimeout;
    result.error = fmt::format("answered after {:.1f} s, later than the deadline of {:.1f} s",
                               std::chrono::duration<double>(elapsed).count(),
                               std::chrono::duration<double>(deadline).count());
    return result;
}

std::optional<base::Duration> CheckFacts::age(base::MonotonicTime now) const {
    if (!checked_at) {
        return std::nullopt;
    }
    return now - *checked_at;
}

bool CheckFacts::is_stale(base::MonotonicTime now) const {
    return is_configured && now - checked_at.value_or(watched_since) > stale_after;
}

CheckTracker::CheckTracker(const CheckSettings& settings, base::MonotonicTime now) : settings_(settings) {
    facts_.is_configured = true;
    facts_.watched_since = now;
    facts_.stale_after = 2 * settings.interval + settings.deadline;
}

void CheckTracker::record(const ProbeResult& result, base::MonotonicTime now) {
    facts_.last = result;
    facts_.checked_at = now;
    ++facts_.probes_total;
    facts_.failures_total += result.passed ? 0 : 1;
    if (result.is_busy()) {
        facts_.failures_in_a_row = 0;
        return;
    }
    count(result);
    const bool is_first = facts_.state == CheckState::unknown;
    if (result.passed) {
        if (is_first || successes_in_a_row_ >= settings_.up_after) {
            facts_.state = CheckState::passing;
        }
    } else if (is_first || result.refused || facts_.failures_in_a_row >= settings_.down_after) {
        facts_.state = CheckState::failing;
    }
}

void CheckTracker::count(const ProbeResult& result) {
    if (result.passed) {
        ++successes_in_a_row_;
        facts_.failures_in_a_row = 0;
    } else {
        successes_in_a_row_ = 0;
        ++facts_.failures_in_a_row;
        facts_.last_failure = result;
    }
}

bool CheckTracker::is_unsettled() const {
    if (facts_.state == CheckState::unknown) {
        return true;
    }
    if (facts_.last.is_busy()) {
        return false;  // asking a busy peer more often makes it busier
    }
    return facts_.last.passed != (facts_.state == CheckState::passing);
}

base::Duration CheckTracker::next_delay(base::Random& random, bool hurry) const {
    return with_jitter(hurry || is_unsettled() ? settings_.fast_interval : settings_.interval, random);
}

base::Duration with_jitter(base::Duration delay, base::Random& random) {
    const double factor = 1.0 - kProbeJitter + 2.0 * kProbeJitter * random.unit();
    return std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(delay) * factor);
}

}  // namespace health
