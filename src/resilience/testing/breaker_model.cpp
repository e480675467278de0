#include "resilience/testing/breaker_model.hpp"

#include <algorithm>
#include <cmath>

namespace resilience::testing {

void BreakerModel::go_to(BreakerState next, base::MonotonicTime at) {
    state = next;
    changed_at = at;
    ++generation;
    trials.clear();
    next_probe_at = at;
    good_probes = 0;
    if (next == BreakerState::open) {
        ++opened;
        successes_in_a_row = 0;
    }
    if (next == BreakerState::half_open) {
        trial_successes = 0;
    }
    if (next == BreakerState::closed) {
        failures = 0;
        attempts = 0;
        peer_ready_at.reset();
        was_early = false;
        events.clear();
    }
}

base::MonotonicTime BreakerModel::not_before_peer(base::MonotonicTime time) const {
    return peer_ready_at ? std::max(time, *peer_ready_at) : time;
}

void BreakerModel::open_until(base::MonotonicTime time, base::MonotonicTime at) {
    full_time_ends_at = not_before_peer(time);
    retry_at = full_time_ends_at;
    go_to(BreakerState::open, at);
}

base::Duration BreakerModel::full_open_time() const {
    const auto timeout = static_cast<double>(settings.recovery_timeout.count());
    const double cap = std::max(static_cast<double>(settings.max_open.count()), timeout);
    const double growth = std::pow(4.0, attempts == 0 ? 0.0 : static_cast<double>(attempts - 1));
    const double wait = std::min(cap, timeout * growth);
    const double jitter = std::floor(wait * settings.max_jitter * chance);
    return base::Duration(static_cast<base::Duration::rep>(std::min(cap, wait + jitter)));
}

void BreakerModel::fail(base::MonotonicTime at) {
    ++failures;
    successes_in_a_row = 0;
    last_failure_at = at;
    events.push_back({at, true, false});
}

void BreakerModel::succeed(base::MonotonicTime at, bool is_slow) {
    ++successes_in_a_row;
    last_success_at = at;
    events.push_back({at, false, is_slow});
}

void BreakerModel::expire(base::MonotonicTime now) {
    if (trials.empty()) {
        return;
    }
    const auto oldest = std::ranges::min(trials, {}, &ModelPermit::admitted_at);
    const base::MonotonicTime deadline = oldest.admitted_at + settings.probe_deadline;
    if (now >= deadline) {
        fail(deadline);
        open_until(deadline + full_open_time(), deadline);
    }
}

Refusal BreakerModel::refusal(base::MonotonicTime now) const {
    if (mode == BreakerMode::forced_open) {
        return {BreakerState::open, RefusalReason::forced_open, base::Duration::zero()};
    }
    base::MonotonicTime until = retry_at;
    if (state == BreakerState::half_open) {
        until = trials.empty()
                    ? next_probe_at
                    : std::ranges::min(trials, {}, &ModelPermit::admitted_at).admitted_at + settings.probe_deadline;
    }
    return {state,
            state == BreakerState::open ? RefusalReason::open : RefusalReason::trial_running,
            std::max(base::Duration::zero(), base::Duration(until - now))};
}

std::expected<ModelPermit, Refusal> BreakerModel::admit(base::MonotonicTime now, bool is_probe) {
    expire(now);
    const bool may_try = is_probe || !settings.probes_only_in_half_open;
    if (state == BreakerState::open && mode == BreakerMode::automatic && may_try && now >= retry_at) {
        was_early = now < full_time_ends_at;
        ++attempts;
        go_to(BreakerState::half_open, now);
    }
    if (state == BreakerState::closed) {
        return ModelPermit{generation, now};
    }
    const bool is_spaced = !is_probe || now >= next_probe_at;
    const bool has_place = trials.size() < settings.half_open_places;
    if (state == BreakerState::half_open && may_try && is_spaced && has_place) {
        trials.push_back({generation, now});
        next_probe_at = now + settings.trial_spacing;
        return trials.back();
    }
    refused += is_probe ? 0 : 1;
    return std::unexpected(refusal(now));
}

void BreakerModel::report(const ModelPermit& permit,
                          Outcome outcome,
                          base::MonotonicTime now,
                          std::optional<base::Duration> peer_wait) {
    expire(now);
    if (permit.generation != generation) {
        ++late;
        return;
    }
    reported_failures += outcome == Outcome::failure ? 1 : 0;
    const bool slow_counts = settings.slow_rate > 0;
    if (outcome == Outcome::success && slow_counts && now - permit.admitted_at > settings.slow_call) {
        outcome = Outcome::slow;
    }
    if (peer_wait && (outcome == Outcome::failure || outcome == Outcome::overload)) {
        const auto wait = std::clamp(*peer_wait, base::Duration::zero(), settings.max_peer_wait);
        peer_ready_at = not_before_peer(now + wait);
    }
    if (state == BreakerState::closed) {
        report_closed(outcome, now);
    } else {
        trials.erase(std::ranges::find(trials, permit));
        report_trial(outcome, now);
    }
}

void BreakerModel::report_closed(Outcome outcome, base::MonotonicTime now) {
    if (outcome == Outcome::failure) {
        fail(now);
    } else if (outcome == Outcome::success || outcome == Outcome::slow) {
        failures -= failures > 0 ? 1 : 0;
        succeed(now, outcome == Outcome::slow);
    } else {
        return;
    }
    if (mode == BreakerMode::disabled) {
        return;
    }
    const bool too_many = outcome == Outcome::failure && failures >= settings.failure_threshold;
    if (too_many || reaches(&Event::is_failure, settings.failure_rate, now) ||
        reaches(&Event::is_slow, settings.slow_rate, now)) {
        open_until(now + full_open_time(), now);
    }
}

void BreakerModel::report_trial(Outcome outcome, base::MonotonicTime now) {
    switch (outcome) {
        case Outcome::failure:
            fail(now);
            return open_until(now + full_open_time(), now);
        case Outcome::slow:
            if (settings.slow_rate > 0) {
                fail(now);
                return open_until(now + full_open_time(), now);
            }
            [[fallthrough]];
        case Outcome::success:
            succeed(now, outcome == Outcome::slow);
            if (++trial_successes == settings.successes_to_close) {
                go_to(BreakerState::closed, now);
            }
            return;
        case Outcome::overload:
            --attempts;
            return open_until(peer_ready_at > now ? now : now + full_open_time(), now);
        case Outcome::ignored:
        case Outcome::cancelled:
            return;
    }
}

void BreakerModel::abandon(const ModelPermit& permit) {
    ++abandoned;
    if (const auto trial = std::ranges::find(trials, permit); trial != trials.end()) {
        trials.erase(trial);  // only one of several that are alike
    }
}

void BreakerModel::observe_probe(bool is_success, base::MonotonicTime now) {
    expire(now);
    if (state == BreakerState::open && settings.early_trial && !was_early) {
        good_probes = is_success ? good_probes + 1 : 0;
        if (good_probes >= 2) {
            retry_at = std::min(retry_at, not_before_peer(now));
        }
    }
}

void BreakerModel::reset(base::MonotonicTime now) {
    expire(now);
    mode = settings.enabled ? BreakerMode::automatic : BreakerMode::disabled;
    last_failure_at.reset();
    successes_in_a_row = 0;
    go_to(BreakerState::closed, now);
}

void BreakerModel::force_open(base::MonotonicTime now) {
    expire(now);
    mode = BreakerMode::forced_open;
    go_to(BreakerState::open, now);
}

void BreakerModel::disable(base::MonotonicTime now) {
    expire(now);
    mode = BreakerMode::disabled;
    go_to(BreakerState::closed, now);
}

std::vector<BreakerModel::Event> BreakerModel::recent_events(base::MonotonicTime now) const {
    const auto slice = [this](base::MonotonicTime time) { return (time - started_at) / (settings.window / 10); };
    std::vector<Event> recent = events;
    std::erase_if(recent, [&](const Event& event) { return slice(event.at) <= slice(now) - 10; });
    return recent;
}

bool BreakerModel::reaches(bool Event::* flag, double rate, base::MonotonicTime now) const {
    const auto recent = recent_events(now);
    const auto count = std::ranges::count(recent, true, flag);
    return rate > 0 && count > 0 && recent.size() >= settings.failure_rate_minimum_calls &&
           static_cast<double>(count) / static_cast<double>(recent.size()) >= rate;
}

BreakerStatus BreakerModel::status(base::MonotonicTime now) {
    expire(now);
    const auto recent = recent_events(now);
    const auto count = [](auto number) { return static_cast<std::uint32_t>(number); };
    const std::uint32_t failed = state == BreakerState::half_open ? attempts - 1 : attempts;
    const bool waits = state == BreakerState::open && mode == BreakerMode::automatic;
    return {
        .state = state,
        .mode = mode,
        .is_enabled = mode != BreakerMode::disabled,
        .failure_count = failures,
        .consecutive_successes = successes_in_a_row,
        .recovery_attempts = attempts,
        .has_exhausted_recovery_attempts = state != BreakerState::closed && failed >= settings.max_recovery_attempts,
        .last_failure_at = last_failure_at,
        .last_success_at = last_success_at,
        .changed_at = changed_at,
        .time_until_retry =
            waits ? std::max(base::Duration::zero(), base::Duration(retry_at - now)) : base::Duration::zero(),
        .failure_threshold = settings.failure_threshold,
        .recovery_timeout = settings.recovery_timeout,
        .max_recovery_attempts = settings.max_recovery_attempts,
        .window_calls = count(recent.size()),
        .window_failures = count(std::ranges::count(recent, true, &Event::is_failure)),
        .generation = generation,
        .opened_total = opened,
        .refused_total = refused,
        .late_total = late,
        .abandoned_total = abandoned,
        .double_report_total = double_reports,
        .failures_total = reported_failures,
        .window_slow = count(std::ranges::count(recent, true, &Event::is_slow)),
        .trials_in_flight = count(trials.size())};
}

}  // namespace resilience::testing
