#include "idempotency_http/intent_book.hpp"

#include <utility>

#include "telemetry/log.hpp"

namespace idempotency {

namespace {

constexpr auto kDiskPatience = std::chrono::seconds(5);
constexpr base::Duration kUnsettledAge = IntentJournal::Limits{}.unsettled_age;
constexpr std::size_t kMaxBaselines = 10'000;
// Those left open by a process that ended: how long their callers had waited is not known.
constexpr base::Duration kUnknownWait{0};

telemetry::Counter& outcome_counter(telemetry::Metrics& metrics, const char* outcome) {
    return metrics.counter(
        "hokusai_resends_total",
        "Calls that repeated one whose answer was lost, or that lost theirs, by what became of them.",
        {{"outcome", outcome}});
}

base::WallTime::duration to_wall(base::Duration duration) {
    return std::chrono::duration_cast<base::WallTime::duration>(duration);
}

}  // namespace

ResendMetrics::ResendMetrics(telemetry::Metrics& metrics)
    : replayed(outcome_counter(metrics, "replayed")),
      found(outcome_counter(metrics, "found")),
      not_carried_out(outcome_counter(metrics, "not_carried_out")),
      refused(outcome_counter(metrics, "refused")),
      key_in_use(outcome_counter(metrics, "key_in_use")),
      key_reused(outcome_counter(metrics, "key_reused")),
      unrecorded(outcome_counter(metrics, "unrecorded")) {}

IntentBook::IntentBook(IntentJournal& journal,
                       net::BlockingPool& pool,
                       const base::Clock& clock,
                       telemetry::Metrics& registry)
    : metrics(registry),
      journal_(journal),
      pool_(pool),
      clock_(clock),
      started_at_(clock.wall_now()),
      started_(clock.now()) {
    registry.gauge("hokusai_intents_unsettled",
                   "Calls without an answer of which nobody knows yet whether they were carried out.",
                   {},
                   [this] {
                       const std::lock_guard guard(mutex_);
                       return static_cast<double>(open_.size());
                   });
}

base::WallTime IntentBook::journal_time() const {
    return started_at_ + to_wall(clock_.now() - started_);
}

base::Result<void> IntentBook::load() {
    base::Result<std::vector<Record>> records = journal_.list_unsettled(journal_time());
    if (!records) {
        return std::unexpected(records.error());
    }
    for (Record& record : *records) {
        leave_open(std::move(record), kUnknownWait);
    }
    return {};
}

IntentBook::Batch IntentBook::batch() const {
    const std::lock_guard guard(mutex_);
    return {changes_, dropped_ + changes_.size()};
}

void IntentBook::drop(std::uint64_t end) {
    const std::lock_guard guard(mutex_);
    while (dropped_ < end) {
        changes_.pop_front();
        ++dropped_;
    }
}

base::Task<base::Result<Begun>> IntentBook::begin(net::Worker& worker, Intent intent, bool may_record) {
    Batch written = batch();
    const std::uint64_t end = written.end;
    base::Result<Begun> begun = co_await pool_.run(
        worker,
        kDiskPatience,
        [this, intent = std::move(intent), may_record, changes = std::move(written.changes), at = journal_time()] {
            return journal_.begin(intent, may_record, std::vector(changes.begin(), changes.end()), at);
        });
    if (begun) {
        drop(end);
    }
    co_return begun;
}

base::Task<base::Result<void>> IntentBook::write(net::Worker& worker) {
    Batch written = batch();
    const std::uint64_t end = written.end;
    base::Result<void> done =
        co_await pool_.run(worker, kDiskPatience, [this, changes = std::move(written.changes), at = journal_time()] {
            return journal_.apply(std::vector(changes.begin(), changes.end()), at);
        });
    if (done) {
        drop(end);
    }
    co_return done;
}

void IntentBook::write_last() {
    const Batch written = batch();
    const base::Result<void> done =
        journal_.apply(std::vector(written.changes.begin(), written.changes.end()), journal_time());
    if (!done) {
        telemetry::log_warn("intents_not_written", {{"error", done.error().message}});
    }
}

void IntentBook::settle(std::int64_t id, Answer answer, base::Duration lifetime) {
    const std::lock_guard guard(mutex_);
    open_.erase(id);
    changes_.push_back({id, std::move(answer), journal_time() + to_wall(lifetime)});
}

void IntentBook::forget(std::int64_t id) {
    const std::lock_guard guard(mutex_);
    open_.erase(id);
    changes_.push_back({.id = id, .answer = {}, .expires_at = {}});
}

void IntentBook::leave_open(Record record, base::Duration waited) {
    const std::int64_t id = record.id;
    if (!record.intent.baseline) {
        settle(id, {kNeverKnown, {}}, record.intent.has_key ? kKeyWindow : kResendWindow);
        return;
    }
    const std::lock_guard guard(mutex_);
    open_.try_emplace(id, Entry{std::move(record), clock_.now(), Absence(patience_after(waited))});
}

bool IntentBook::note_absent(const Record& record, base::MonotonicTime began, base::MonotonicTime ended) {
    leave_open(record, kUnknownWait);
    bool is_believed = false;
    {
        const std::lock_guard guard(mutex_);
        is_believed = open_.at(record.id).absence.note(began, ended);
    }
    if (is_believed) {
        forget(record.id);
    }
    return is_believed;
}

std::vector<Record> IntentBook::list_open() const {
    const std::lock_guard guard(mutex_);
    std::vector<Record> records;
    for (const auto& [id, entry] : open_) {
        records.push_back(entry.record);
    }
    return records;
}

bool IntentBook::is_open(std::int64_t id) const {
    const std::lock_guard guard(mutex_);
    return open_.contains(id);
}

std::vector<Record> IntentBook::take_overdue(base::Duration age) {
    const std::lock_guard guard(mutex_);
    const base::MonotonicTime now = clock_.now();
    std::erase_if(open_, [now](const auto& entry) { return now - entry.second.since >= kUnsettledAge; });
    std::vector<Record> overdue;
    for (auto& [id, entry] : open_) {
        if (now - entry.since >= age && !std::exchange(entry.was_reported, true)) {
            overdue.push_back(entry.record);
        }
    }
    return overdue;
}

std::optional<Baseline> IntentBook::baseline(const registry::ModelKey& model) const {
    const std::lock_guard guard(mutex_);
    const auto found = baselines_.find(model);
    return found == baselines_.end() ? std::nullopt : std::optional(found->second);
}

void IntentBook::note_baseline(const registry::ModelKey& model, std::optional<Baseline> baseline) {
    const std::lock_guard guard(mutex_);
    if (!baseline) {
        baselines_.erase(model);
        return;
    }
    if (baselines_.size() >= kMaxBaselines) {
        baselines_.clear();
    }
    baselines_[model] = *baseline;
}

std::optional<Digest> IntentBook::take_key(const Digest& identity, const Digest& request) {
    const std::lock_guard guard(mutex_);
    const auto [place, is_free] = keys_in_use_.try_emplace(identity, request);
    return is_free ? std::nullopt : std::optional(place->second);
}

void IntentBook::give_key_back(const Digest& identity) {
    const std::lock_guard guard(mutex_);
    keys_in_use_.erase(identity);
}

}  // namespace idempotency
