// What a circuit breaker can be told, and how long it stays open.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace resilience {

struct CircuitBreakerSettings {
    bool enabled = true;

    // Opens when the failure count reaches it: a failure adds one, a success while closed takes one off. 0 acts as 1.
    std::uint32_t failure_threshold = 3;

    // The shortest open time; 0 makes the next call or probe the trial.
    base::Duration recovery_timeout = std::chrono::seconds(30);

    // Failed trials after which the status says that recovery is overdue. Trials go on for ever.
    std::uint32_t max_recovery_attempts = 3;

    std::uint32_t half_open_places = 1;    // trials in flight at once, at least 1
    std::uint32_t successes_to_close = 2;  // in a row, at least 1

    // From the admission of a trial; past it the trial has failed and its place is free.
    base::Duration probe_deadline = std::chrono::seconds(60);

    // Opens when failures / calls reaches it, over at least the minimum of calls within the window. 0 switches it off.
    double failure_rate = 0.5;
    std::uint32_t failure_rate_minimum_calls = 20;
    base::Duration window = std::chrono::seconds(10);

    // The same for calls that succeed but take longer than `slow_call`. 0 switches it off.
    double slow_rate = 0.0;
    base::Duration slow_call = std::chrono::seconds(10);

    double max_jitter = 0.10;  // the largest share by which chance lengthens an open time

    base::Duration max_open = std::chrono::seconds(60);  // no open time grows beyond it, or beyond recovery_timeout
    base::Duration max_peer_wait = std::chrono::seconds(60);  // the longest Retry-After that is honoured

    // For a dependency with a background prober: its probes are the trials, and traffic is refused until CLOSED.
    bool probes_only_in_half_open = false;
    base::Duration trial_spacing = std::chrono::seconds(1);  // between two probes in half-open

    // Two good probes in a row while open start the trial at once.
    bool early_trial = true;

    // invalid_argument naming the setting and its range.
    [[nodiscard]] base::Result<void> validate() const;
};

// recovery_timeout * 4^max(0, failed_attempts - 1), lengthened by up to max_jitter (`chance` in [0, 1) chooses), capped
// at max(max_open, recovery_timeout). So the first two trials come on time. Never overflows for valid settings.
base::Duration open_time(const CircuitBreakerSettings& settings, std::uint32_t failed_attempts, double chance);

}  // namespace resilience
