#include "resilience/trial_places.hpp"

#include <algorithm>

#include "base/ensure.hpp"

namespace resilience {

TrialPlaces::TrialPlaces(const CircuitBreakerSettings& settings) : settings_(settings) {
    deadlines_.reserve(settings.half_open_places);
}

void TrialPlaces::reset(base::MonotonicTime now) {
    deadlines_.clear();
    next_probe_at_ = now;
}

base::MonotonicTime TrialPlaces::earliest_deadline() const {
    const auto earliest = std::ranges::min_element(deadlines_);
    return earliest == deadlines_.end() ? base::MonotonicTime::max() : *earliest;
}

void TrialPlaces::take(base::MonotonicTime now) {
    ENSURE(!is_full(), "the breaker admits no trial beyond its places");
    deadlines_.push_back(now + settings_.probe_deadline);
    next_probe_at_ = now + settings_.trial_spacing;
}

void TrialPlaces::give_back(base::MonotonicTime admitted_at) {
    const auto deadline = std::ranges::find(deadlines_, admitted_at + settings_.probe_deadline);
    ENSURE(deadline != deadlines_.end(), "every trial of this generation holds a place");
    deadlines_.erase(deadline);
}

}  // namespace resilience
