#include "offline/rounds.hpp"

#include <algorithm>
#include <utility>

#include "telemetry/log.hpp"

namespace offline {

namespace {

constexpr double kShare = 0.5;
constexpr base::Duration kLookAgain = std::chrono::milliseconds(250);
constexpr base::Duration kYieldAtMost = std::chrono::seconds(5);
constexpr base::Duration kFirstRest = std::chrono::seconds(1);
constexpr base::Duration kLongestRest = std::chrono::seconds(60);
constexpr base::Duration kBetweenWarnings = std::chrono::seconds(10);

}  // namespace

Rounds::Rounds(Deps deps)
    : deps_(std::move(deps)),
      failures_(deps_.metrics.counter("hokusai_journal_delivery_failures_total",
                                      "Attempts to deliver calls of the journal that will be repeated.")) {}

base::Task<> Rounds::run() {
    while (!deps_.pace.is_stopping()) {
        note_reachable(deps_.pace.is_reachable());
        bool has_served = false;
        if (!was_away_) {
            has_served = co_await serve_next();
        }
        if (!has_served) {
            co_await deps_.pace.rest(kLookAgain);
        }
    }
}

void Rounds::note_reachable(bool is_reachable) {
    if (is_reachable && was_away_) {
        for (auto& [lane, care] : care_) {
            care.failures = 0;
            care.rests_until = {};
        }
        deps_.when_back();
    }
    was_away_ = !is_reachable;
}

bool Rounds::is_ready(const std::string& lane) const {
    const auto care = care_.find(lane);
    return care == care_.end() || (!care->second.is_busy && deps_.pace.now() >= care->second.rests_until);
}

base::Task<bool> Rounds::serve_next() {
    const std::optional<std::string> lane =
        deps_.next(last_lane_, [this](const std::string& candidate) { return is_ready(candidate); });
    if (!lane) {
        co_return false;
    }
    last_lane_ = *lane;
    Care& care = care_[*lane];
    care.is_busy = true;
    base::Result<void> done = co_await deps_.pace.before_question(kYieldAtMost);
    const base::MonotonicTime began = deps_.pace.now();
    if (done) {
        done = co_await deps_.serve(*lane);
    }
    care.is_busy = false;
    if (done) {
        care_.erase(*lane);
    } else {
        put_off(*lane, care, done.error());
    }
    co_await deps_.pace.after_question(deps_.pace.now() - began, kShare);
    co_return true;
}

void Rounds::put_off(const std::string& lane, Care& care, const base::Error& error) {
    const base::MonotonicTime now = deps_.pace.now();
    if (deps_.pace.is_stopping() || !deps_.pace.is_reachable()) {
        return;
    }
    failures_.add();
    const base::Duration rest =
        std::min<base::Duration>(kFirstRest * (1U << std::min(care.failures, 6U)), kLongestRest);
    ++care.failures;
    care.rests_until = now + rest;
    if (now >= next_warning_) {
        next_warning_ = now + kBetweenWarnings;
        telemetry::log_warn("journal_delivery_failed",
                            {{"lane", lane},
                             {"error", error.message},
                             {"failures", care.failures},
                             {"next_in_seconds", std::chrono::duration<double>(rest).count()}});
    }
}

}  // namespace offline
