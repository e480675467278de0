#include "health/monitor.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "telemetry/log.hpp"

#include <fmt/format.h>

namespace health {

namespace {

using resilience::BreakerState;
using resilience::BreakerStatus;
using resilience::Outcome;

constexpr base::Duration kMaxBreakerAge = std::chrono::milliseconds(100);

void count_trial(TrialCounts& trials, Outcome outcome) {
    if (outcome == Outcome::success) {
        ++trials.succeeded;
    } else if (outcome == Outcome::ignored) {
        ++trials.undecided;
    } else {
        ++trials.failed;
    }
}

ProbeResult broken(std::string_view what) {
    ProbeResult result;
    result.kind = kInternal;
    result.error = fmt::format("the probe could not run: {}", what);
    return result;
}

base::Task<ProbeResult> run_guarded(Probe& probe) {
    try {
        ProbeResult result = co_await probe.run();
        co_return result;
    } catch (const std::exception& error) {
        co_return broken(error.what());
    }
}

// Equal but for the countdown, which readers continue by themselves.
bool is_same(const MlflowEndpoint& shown, const BreakerStatus& read, base::MonotonicTime now) {
    BreakerStatus expected = shown.breaker;
    expected.time_until_retry -= now - shown.breaker_read_at;
    expected.time_until_retry = std::max(expected.time_until_retry, base::Duration::zero());
    return expected == read;
}

void log_change(std::string_view name, const CheckFacts& before, const CheckFacts& after) {
    if (before.state == after.state) {
        return;
    }
    if (after.state == CheckState::passing) {
        telemetry::log_info("dependency_up", {{"dependency", name}});
    } else {
        telemetry::log_warn(
            "dependency_down",
            {{"dependency", name}, {"kind", after.last_failure.kind}, {"error", after.last_failure.error}});
    }
}

}  // namespace

Outcome outcome_of(const ProbeResult& result) {
    if (result.passed) {
        return Outcome::success;
    }
    if (result.is_busy()) {
        return Outcome::ignored;
    }
    return result.kind == kOverload ? Outcome::overload : Outcome::failure;
}

Monitor::Monitor(const Targets& targets, const MonitorSettings& settings, const MonitorDeps& deps)
    : settings_(settings), deps_(deps) {
    const base::MonotonicTime now = deps_.clock.now();
    draft_.store.engine = targets.store.engine;
    draft_.store.database = targets.store.database;
    add_watch("postgres", &targets.store.probe, draft_.store.check);
    draft_.mlflow.resize(targets.mlflow.size());
    for (std::size_t i = 0; i < targets.mlflow.size(); ++i) {
        add_mlflow(targets.mlflow[i], draft_.mlflow[i]);
    }
    add_watch("redis", targets.redis, draft_.redis);
    add_watch("message_queue", targets.message_queue, draft_.message_queue);
    add_watch("auth", targets.auth, draft_.auth);
    add_watch("discovery", targets.discovery, draft_.discovery);
    draft_.details.resize(targets.details.size());
    for (std::size_t i = 0; i < targets.details.size(); ++i) {
        add_detail(targets.details[i], draft_.details[i]);
    }
    draft_.process = process_reader_.read();
    status_counted_until_ = now;
    publish(now);
    refresh(now);
}

Monitor::Watch Monitor::make_watch(std::string_view name,
                                   Probe& probe,
                                   const CheckSettings& check,
                                   CheckFacts& published) {
    Watch made{
        .name = std::string(name),
        .probe = probe,
        .tracker = CheckTracker(check, deps_.clock.now()),
        .deadline = check.deadline,
        .published = published,
        .seconds = deps_.metrics.histogram(
            "hokusai_probe_seconds", "Time a health probe took", {{"dependency", std::string(name)}}),
    };
    published = made.tracker.facts();
    return made;
}

void Monitor::add_watch(std::string_view name, Probe* probe, CheckFacts& published) {
    if (probe != nullptr) {
        watches_.push_back(make_watch(name, *probe, settings_.check, published));
    }
}

void Monitor::add_mlflow(const Targets::Mlflow& target, MlflowEndpoint& endpoint) {
    endpoint.url = target.url;
    watches_.push_back(make_watch("mlflow", target.probe, settings_.check, endpoint.check));
    watches_.back().breaker = &target.breaker;
    watches_.back().endpoint = &endpoint;
    breakers_.push_back(&target.breaker);
}

void Monitor::add_detail(const Targets::Detail& target, DetailHealth& detail) {
    CheckSettings check = settings_.check;
    check.interval = settings_.detail_interval;
    check.fast_interval = settings_.detail_interval;
    detail.name = target.name;
    detail.url = target.url;
    detail_watches_.push_back(make_watch(target.name, target.probe, check, detail.check));
}

std::vector<base::Task<>> Monitor::loops() {
    std::vector<base::Task<>> loops;
    for (Watch& watched : watches_) {
        loops.push_back(watch(watched));
    }
    if (!detail_watches_.empty()) {
        loops.push_back(watch_details());
    }
    return loops;
}

void Monitor::stop() {
    is_stopping_ = true;
}

base::Task<> Monitor::watch(Watch& watched) {
    while (!is_stopping_) {
        co_await probe_once(watched);
        const base::MonotonicTime wake_at = deps_.clock.now() + delay_after(watched);
        co_await deps_.sleeper.wait_until(wake_at);
    }
}

base::Task<> Monitor::watch_details() {
    while (!is_stopping_) {
        for (Watch& watched : detail_watches_) {
            if (!is_stopping_) {
                co_await probe_once(watched);
            }
        }
        const base::MonotonicTime wake_at = deps_.clock.now() + with_jitter(settings_.detail_interval, deps_.random);
        co_await deps_.sleeper.wait_until(wake_at);
    }
}

base::Task<> Monitor::probe_once(Watch& watched) {
    const base::MonotonicTime started_at = deps_.clock.now();
    std::optional<resilience::Permit> permit;
    if (watched.breaker != nullptr) {
        if (auto admitted = watched.breaker->admit_probe(started_at)) {
            permit = *std::move(admitted);
        }
    }
    ProbeResult answer = co_await run_guarded(watched.probe);
    const base::Duration elapsed = deps_.clock.now() - started_at;
    const ProbeResult result = judge_lateness(std::move(answer), elapsed, watched.deadline);
    if (watched.breaker != nullptr) {
        report_to_breaker(watched, std::move(permit), result);
    }
    record(watched, result);
}

// A breaker shows a state too: probes hurry until it agrees with what they find, and come at its trials' pace in
// half-open.
base::Duration Monitor::delay_after(const Watch& watched) {
    if (watched.breaker == nullptr) {
        return watched.tracker.next_delay(deps_.random);
    }
    const BreakerStatus breaker = watched.breaker->status(deps_.clock.now());
    if (breaker.state == BreakerState::half_open) {
        return watched.breaker->settings().trial_spacing;
    }
    const ProbeResult& last = watched.tracker.facts().last;
    const bool disagrees = (breaker.state == BreakerState::closed) != last.passed && !last.is_busy();
    return watched.tracker.next_delay(deps_.random, disagrees && breaker.mode == resilience::BreakerMode::automatic);
}

void Monitor::report_to_breaker(Watch& watched, std::optional<resilience::Permit> permit, const ProbeResult& result) {
    const base::MonotonicTime now = deps_.clock.now();
    const Outcome outcome = outcome_of(result);
    if (permit) {
        if (watched.breaker->state() == BreakerState::half_open) {
            count_trial(watched.trials, outcome);
        }
        permit->report(outcome, now);
    } else if (outcome != Outcome::ignored) {
        watched.breaker->observe_probe(outcome == Outcome::success, now);
    }
}

void Monitor::record(Watch& watched, const ProbeResult& result) {
    const base::MonotonicTime now = deps_.clock.now();
    watched.seconds.observe(std::chrono::duration<double>(result.latency).count());
    const CheckFacts before = watched.tracker.facts();
    watched.tracker.record(result, now);
    log_change(watched.name, before, watched.tracker.facts());
    const ProcessFacts process = process_reader_.read();
    {
        const std::lock_guard lock(mutex_);
        watched.published = watched.tracker.facts();
        draft_.process = process;
        if (watched.endpoint != nullptr) {
            watched.endpoint->trials = watched.trials;
        }
        publish(now);
    }
    refresh(now);
}

void Monitor::refresh(base::MonotonicTime now) {
    // Read before taking our lock: reading may announce a change to a listener, and that calls refresh() again.
    std::vector<BreakerStatus> read;
    read.reserve(breakers_.size());
    for (resilience::CircuitBreaker* breaker : breakers_) {
        read.push_back(breaker->status(now));
    }
    const std::lock_guard lock(mutex_);
    breakers_read_at_ = now;
    bool has_changed = false;
    for (std::size_t i = 0; i < read.size(); ++i) {
        MlflowEndpoint& endpoint = draft_.mlflow[i];
        if (!is_same(endpoint, read[i], now)) {
            endpoint.breaker = read[i];
            endpoint.breaker_read_at = now;
            has_changed = true;
        }
    }
    if (has_changed) {
        publish(now);
    }
}

void Monitor::publish(base::MonotonicTime now) {
    ++draft_.version;
    draft_.published_at = now;
    published_ = std::make_shared<const Snapshot>(draft_);
    version_.store(draft_.version, std::memory_order_release);
    account_status(now);
}

void Monitor::account_status(base::MonotonicTime now) {
    // Publications of two threads may bring their times out of order.
    const base::MonotonicTime until = std::max(now, status_counted_until_);
    time_in_.at(static_cast<std::size_t>(status_)) += until - status_counted_until_;
    status_counted_until_ = until;
    const Status next = aggregate(draft_, now);
    // Before the first probe of the store nothing is known, and nobody on call should read "unhealthy".
    const bool is_known = draft_.store.check.state != CheckState::unknown;
    if (next != status_ && is_known) {
        telemetry::log_info("health_changed", {{"from", to_string(status_)}, {"to", to_string(next)}});
        status_ = next;
    }
}

std::uint64_t Monitor::version() const {
    return version_.load(std::memory_order_acquire);
}

std::shared_ptr<const Snapshot> Monitor::current(base::MonotonicTime now) {
    {
        const std::lock_guard lock(mutex_);
        if (breakers_.empty() || now - breakers_read_at_ < kMaxBreakerAge) {
            return published_;
        }
        breakers_read_at_ = now;  // one reader looks, the others need not
    }
    refresh(now);
    const std::lock_guard lock(mutex_);
    return published_;
}

base::Duration Monitor::time_in(Status status, base::MonotonicTime now) const {
    const std::lock_guard lock(mutex_);
    const base::Duration counted = time_in_.at(static_cast<std::size_t>(status));
    const base::Duration running = std::max(base::Duration::zero(), now - status_counted_until_);
    return status == status_ ? counted + running : counted;
}

}  // namespace health
