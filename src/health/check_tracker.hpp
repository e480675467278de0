// The state shown for one dependency, decided from its probe results: thresholds, staleness and the time of the next
// probe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/random.hpp"

namespace health {

// Kinds of ProbeResult this module acts on; any other kind is only shown.
inline constexpr std::string_view kBusy = "busy";  // missed its deadline while other answers keep arriving: alive
inline constexpr std::string_view kDegraded =
    "degraded";  // works with less than was configured, as a queue that only stores
inline constexpr std::string_view kOverload = "overload";  // 429, or 503 with Retry-After
inline constexpr std::string_view kTimeout = "timeout";
inline constexpr std::string_view kInternal = "internal";  // the probe itself broke

// What one probe found. `error` is shown to anyone who asks: no secret, no stack.
struct ProbeResult {
    bool passed = false;
    bool refused = false;  // connection refused: proof enough by itself
    std::string error{};   // empty when passed
    std::string kind{};    // "refused", "timeout", "host_check", "database", "credentials", "busy" ...
    base::Duration latency{};
    unsigned status_code = 0;  // of the HTTP answer; 0: none came, or the probe speaks no HTTP

    [[nodiscard]] bool is_busy() const {
        return !passed && kind == kBusy;
    }
};

// The same result, made a failure when a pass came later than `deadline`: a probe that late proves nothing.
ProbeResult judge_lateness(ProbeResult result, base::Duration elapsed, base::Duration deadline);

struct CheckSettings {
    base::Duration interval = std::chrono::seconds(5);
    base::Duration fast_interval = std::chrono::seconds(1);  // while the last result differs from the state shown
    base::Duration deadline = std::chrono::seconds(2);
    std::uint32_t down_after = 2;  // failures in a row, unless the connection was refused: then one
    std::uint32_t up_after = 2;    // successes in a row
};

enum class CheckState { unknown, passing, failing };

// A value to publish. Age and staleness are judged when it is read, so that a monitor that died shows too.
struct CheckFacts {
    bool is_configured = false;  // everything below is meaningless when false
    CheckState state = CheckState::unknown;
    ProbeResult last;
    ProbeResult last_failure;                       // the reason to show while failing
    std::optional<base::MonotonicTime> checked_at;  // end of the last probe
    base::MonotonicTime watched_since;
    std::uint32_t failures_in_a_row = 0;
    std::uint64_t probes_total = 0;
    std::uint64_t failures_total = 0;  // busy answers included
    base::Duration stale_after{};      // two intervals and a deadline

    // Nothing before the first result.
    [[nodiscard]] std::optional<base::Duration> age(base::MonotonicTime now) const;
    [[nodiscard]] bool is_stale(base::MonotonicTime now) const;
};

// Not safe for concurrent use: it belongs to the loop that probes.
class CheckTracker {
public:
    CheckTracker(const CheckSettings& settings, base::MonotonicTime now);

    // The first result counts at once; afterwards the state changes by the thresholds. A busy result ends a run of
    // failures and changes nothing else.
    void record(const ProbeResult& result, base::MonotonicTime now);

    [[nodiscard]] const CheckFacts& facts() const {
        return facts_;
    }

    // Whether the last result differs from the state shown; a busy one never does.
    [[nodiscard]] bool is_unsettled() const;

    // Until the next probe, spread by ±10 % so that many instances do not probe in step. `hurry` asks for the fast
    // interval.
    [[nodiscard]] base::Duration next_delay(base::Random& random, bool hurry = false) const;

private:
    void count(const ProbeResult& result);

    CheckSettings settings_;
    CheckFacts facts_;
    std::uint32_t successes_in_a_row_ = 0;
};

base::Duration with_jitter(base::Duration delay, base::Random& random);

}  // namespace health
