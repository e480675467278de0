#include "resilience/breaker_settings.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace resilience {
namespace {

// Keeps every sum of a monotonic time and a setting far from overflow.
constexpr base::Duration kLongestSetting = std::chrono::hours(24 * 365);
constexpr std::uint32_t kLargestThreshold = 1'000'000;
constexpr std::uint32_t kMostPlaces = 1'000;

bool is_wait(base::Duration duration) {
    return duration >= base::Duration::zero() && duration <= kLongestSetting;
}

// False for NaN as well.
bool is_share(double value) {
    return value >= 0.0 && value <= 1.0;
}

struct SettingRule {
    bool holds;
    std::string_view message;
};

}  // namespace

base::Result<void> CircuitBreakerSettings::validate() const {
    const std::array rules{
        SettingRule{failure_threshold <= kLargestThreshold, "failure_threshold must be at most 1000000"},
        SettingRule{is_wait(recovery_timeout), "recovery_timeout must be between 0 and 365 days"},
        SettingRule{half_open_places >= 1 && half_open_places <= kMostPlaces,
                    "half_open_places must be between 1 and 1000"},
        SettingRule{successes_to_close >= 1, "successes_to_close must be at least 1"},
        SettingRule{is_wait(probe_deadline) && probe_deadline > base::Duration::zero(),
                    "probe_deadline must be more than 0 and at most 365 days"},
        SettingRule{is_share(failure_rate), "failure_rate must be between 0 and 1 (0 switches it off)"},
        SettingRule{failure_rate_minimum_calls >= 1, "failure_rate_minimum_calls must be at least 1"},
        SettingRule{is_wait(window) && window >= std::chrono::milliseconds(1),
                    "window must be between 1 ms and 365 days"},
        SettingRule{is_share(slow_rate), "slow_rate must be between 0 and 1 (0 switches it off)"},
        SettingRule{is_wait(slow_call), "slow_call must be between 0 and 365 days"},
        SettingRule{is_share(max_jitter), "max_jitter must be between 0 and 1"},
        SettingRule{is_wait(max_open), "max_open must be between 0 and 365 days"},
        SettingRule{is_wait(max_peer_wait), "max_peer_wait must be between 0 and 365 days"},
        SettingRule{is_wait(trial_spacing), "trial_spacing must be between 0 and 365 days"},
    };
    const auto* broken = std::ranges::find(rules, false, &SettingRule::holds);
    if (broken != rules.end()) {
        return base::fail(base::Code::invalid_argument, std::string(broken->message));
    }
    return {};
}

base::Duration open_time(const CircuitBreakerSettings& settings, std::uint32_t failed_attempts, double chance) {
    const base::Duration cap = std::max(settings.max_open, settings.recovery_timeout);
    base::Duration wait = settings.recovery_timeout;
    for (std::uint32_t failed = 1; failed < failed_attempts && wait < cap && wait > base::Duration::zero(); ++failed) {
        wait = wait > cap / 4 ? cap : wait * 4;
    }
    const double jitter = static_cast<double>(wait.count()) * settings.max_jitter * chance;
    return std::min(cap, wait + base::Duration(static_cast<base::Duration::rep>(jitter)));
}

}  // namespace resilience
