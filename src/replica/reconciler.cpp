#include "replica/reconciler.hpp"

#include <algorithm>
#include <vector>

#include "replica/reread.hpp"
#include "telemetry/log.hpp"

namespace replica {

namespace {

constexpr double kShare = 0.25;
constexpr base::Duration kLookAgain = std::chrono::seconds(1);
constexpr base::Duration kLongestPause = std::chrono::seconds(60);
constexpr auto kProgressInterval = std::chrono::seconds(10);
constexpr std::size_t kUrisAtOnce = 50;

}  // namespace

Reconciler::Reconciler(SweepDeps deps, ReconcilerSettings settings, telemetry::Metrics& metrics)
    : deps_(deps),
      settings_(std::move(settings)),
      sweeps_(metrics.counter("hokusai_replica_sweeps_total", "Complete comparisons of the replica with MLflow.")),
      failures_(metrics.counter("hokusai_replica_read_failures_total",
                                "Attempts to read MLflow for the replica that failed.")),
      changes_(metrics.counter("hokusai_replica_foreign_changes_total",
                               "Rows that a sweep found to differ from MLflow's.")) {}

base::Task<> Reconciler::run() {
    while (!deps_.pace.is_stopping()) {
        co_await do_next();
    }
}

base::Task<> Reconciler::do_next() {
    const base::MonotonicTime now = deps_.pace.now();
    if (!deps_.pace.is_reachable()) {
        was_away_ = true;
        co_await deps_.pace.rest(kLookAgain);
        co_return;
    }
    if (std::exchange(was_away_, false)) {
        next_sweep_ = now;
        rests_until_ = now;
        failures_in_a_row_ = 0;
        // What a sweep saw before says little by now; a first filling is another matter.
        if (sweep_ && !sweep_->is_filling()) {
            sweep_.reset();
        }
    }
    if (now < rests_until_) {
        co_await deps_.pace.rest(std::min<base::Duration>(rests_until_ - now, kLookAgain));
        co_return;
    }
    if (!deps_.replica.marked().empty()) {
        co_await reread_marked();
    }
    if (sweep_ || now >= next_sweep_) {
        co_await sweep();
    } else if (!without_uri_.empty()) {
        co_await read_download_uris();
    } else {
        co_await deps_.pace.rest(std::min<base::Duration>(next_sweep_ - now, kLookAgain));
    }
}

void Reconciler::put_off(const base::Error& error) {
    if (deps_.pace.is_stopping() || !deps_.pace.is_reachable()) {
        return;
    }
    failures_.add();
    const base::Duration pause = std::min<base::Duration>(kLookAgain * (1U << std::min(failures_in_a_row_, 6U)),
                                                          std::min(kLongestPause, settings_.interval));
    ++failures_in_a_row_;
    rests_until_ = deps_.pace.now() + pause;
    telemetry::log_warn("replica_read_failed",
                        {{"error", error.message},
                         {"failures", failures_in_a_row_},
                         {"next_in_seconds", std::chrono::duration<double>(pause).count()}});
}

base::Task<> Reconciler::reread_marked() {
    for (const Mark& mark : deps_.replica.marked()) {
        const base::MonotonicTime asked_at = deps_.pace.now();
        base::Result<void> done = co_await deps_.pace.before_question();
        if (done) {
            done = co_await reread_model(mark.model);
        }
        if (!done) {
            put_off(done.error());
            co_return;
        }
        co_await deps_.pace.after_question(deps_.pace.now() - asked_at, kShare);
    }
}

base::Task<base::Result<void>> Reconciler::reread_model(registry::ModelKey key) {
    base::Result<MergeOutcome> outcome =
        co_await reread_locked(deps_.worker, deps_.replica, deps_.reader, std::move(key));
    if (!outcome) {
        co_return std::unexpected(outcome.error());
    }
    queue(std::move(outcome->without_uri));
    co_return base::Result<void>();
}

base::Task<> Reconciler::sweep() {
    if (!sweep_) {
        sweep_.emplace(deps_);
    }
    base::Result<bool> is_done = co_await sweep_->step();
    queue(sweep_->take_without_uri());
    if (!is_done) {
        put_off(is_done.error());
        co_return;
    }
    failures_in_a_row_ = 0;
    note_progress();
    if (*is_done) {
        note_finished(*sweep_);
        const bool was_filling = sweep_->is_filling();
        if (was_filling && settings_.when_filled) {
            co_await settings_.when_filled();
        }
        next_sweep_ = was_filling ? deps_.pace.now() : std::max(deps_.pace.now(), sweep_->began() + settings_.interval);
        sweep_.reset();
    }
}

void Reconciler::note_finished(const Sweep& sweep) {
    const SweepRecord& record = sweep.record();
    sweeps_.add();
    if (sweep.is_filling()) {
        telemetry::log_info("replica_complete", {{"rows", record.rows}, {"milliseconds", record.milliseconds}});
        return;
    }
    changes_.add(static_cast<std::uint64_t>(record.changes));
    telemetry::log(record.changes > 0 ? telemetry::LogLevel::info : telemetry::LogLevel::debug,
                   "replica_swept",
                   {{"rows", record.rows},
                    {"changes", record.changes},
                    {"erased", record.erased},
                    {"milliseconds", record.milliseconds}});
}

void Reconciler::note_progress() {
    const base::MonotonicTime now = deps_.pace.now();
    if (sweep_->is_filling() && now >= next_progress_) {
        next_progress_ = now + kProgressInterval;
        telemetry::log_info("replica_filling", {{"rows", sweep_->record().rows}});
    }
}

void Reconciler::queue(std::vector<Sweep::WithoutUri> versions) {
    for (Sweep::WithoutUri& wanted : versions) {
        if (!queued_.emplace(wanted.first, wanted.second.version).second) {
            continue;
        }
        if (wanted.second.is_aliased) {
            without_uri_.push_front(std::move(wanted));
        } else {
            without_uri_.push_back(std::move(wanted));
        }
    }
}

// A handful at a time, so that marks and sweeps come first.
base::Task<> Reconciler::read_download_uris() {
    std::vector<DownloadUri> found;
    base::Result<void> done = {};
    while (done && found.size() < kUrisAtOnce && !without_uri_.empty() && deps_.replica.marked().empty() &&
           deps_.pace.now() < next_sweep_) {
        const auto [key, version] = without_uri_.front();
        const base::MonotonicTime asked_at = deps_.pace.now();
        done = co_await deps_.pace.before_question();
        if (!done) {
            break;
        }
        const Asked asked = deps_.replica.ask();
        base::Result<std::optional<std::string>> uri = co_await deps_.reader.find_download_uri(key, version.version);
        if (!uri) {
            done = std::unexpected(uri.error());
            break;
        }
        if (*uri) {
            found.push_back({key, version.version, std::move(**uri), asked});
        }
        without_uri_.pop_front();
        queued_.erase({key, version.version});
        co_await deps_.pace.after_question(deps_.pace.now() - asked_at, kShare);
    }
    const base::Result<void> put = co_await deps_.replica.put_download_uris(deps_.worker, std::move(found));
    if (!done || !put) {
        put_off(done ? put.error() : done.error());
    }
}

}  // namespace replica
