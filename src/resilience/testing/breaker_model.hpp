// The circuit breaker's executable specification: plain fields, one thread, no haste. Tests hold the real one against
// it.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "resilience/breaker_settings.hpp"
#include "resilience/breaker_status.hpp"

namespace resilience::testing {

struct ModelPermit {
    std::uint64_t generation;
    base::MonotonicTime admitted_at;

    bool operator==(const ModelPermit&) const = default;
};

struct BreakerModel {
    struct Event {
        base::MonotonicTime at;
        bool is_failure = false;
        bool is_slow = false;
    };

    CircuitBreakerSettings settings;
    double chance;  // what every draw of the jitter answers
    base::MonotonicTime started_at;

    BreakerState state = BreakerState::closed;
    BreakerMode mode = settings.enabled ? BreakerMode::automatic : BreakerMode::disabled;
    std::uint64_t generation = 0;
    base::MonotonicTime changed_at = started_at;

    std::uint32_t failures = 0;
    std::uint32_t successes_in_a_row = 0;
    std::vector<Event> events{};  // of this closed period, or since the last one
    std::optional<base::MonotonicTime> last_failure_at{};
    base::MonotonicTime last_success_at = started_at;

    std::uint32_t attempts = 0;
    base::MonotonicTime full_time_ends_at{};
    base::MonotonicTime retry_at{};
    std::optional<base::MonotonicTime> peer_ready_at{};
    std::uint32_t good_probes = 0;
    bool was_early = false;

    std::vector<ModelPermit> trials{};
    std::uint32_t trial_successes = 0;
    base::MonotonicTime next_probe_at{};

    std::uint64_t opened = 0;
    std::uint64_t refused = 0;
    std::uint64_t late = 0;
    std::uint64_t reported_failures = 0;
    std::uint64_t abandoned = 0;
    std::uint64_t double_reports = 0;

    void go_to(BreakerState next, base::MonotonicTime at);
    [[nodiscard]] base::MonotonicTime not_before_peer(base::MonotonicTime time) const;
    void open_until(base::MonotonicTime time, base::MonotonicTime at);
    [[nodiscard]] base::Duration full_open_time() const;
    void fail(base::MonotonicTime at);
    void succeed(base::MonotonicTime at, bool is_slow);
    void expire(base::MonotonicTime now);
    [[nodiscard]] Refusal refusal(base::MonotonicTime now) const;
    std::expected<ModelPermit, Refusal> admit(base::MonotonicTime now, bool is_probe);
    void report(const ModelPermit& permit,
                Outcome outcome,
                base::MonotonicTime now,
                std::optional<base::Duration> peer_wait);
    void report_closed(Outcome outcome, base::MonotonicTime now);
    void report_trial(Outcome outcome, base::MonotonicTime now);
    void abandon(const ModelPermit& permit);
    void observe_probe(bool is_success, base::MonotonicTime now);
    void reset(base::MonotonicTime now);
    void force_open(base::MonotonicTime now);
    void disable(base::MonotonicTime now);
    // The span is ten slices, the running one included.
    [[nodiscard]] std::vector<Event> recent_events(base::MonotonicTime now) const;
    [[nodiscard]] bool reaches(bool Event::* flag, double rate, base::MonotonicTime now) const;
    BreakerStatus status(base::MonotonicTime now);
};

}  // namespace resilience::testing
