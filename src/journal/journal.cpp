#include "journal/journal.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "telemetry/log.hpp"

#include <fmt/format.h>

namespace journal {

namespace {

constexpr base::Duration kPatience = std::chrono::seconds(10);
constexpr std::size_t kMaxWaiting = 4096;
constexpr std::size_t kMaxTogether = 512;
constexpr std::uint64_t kMaxBytesTogether = std::uint64_t{8} << 20U;

telemetry::Counter& refused_counter(telemetry::Metrics& metrics, const char* reason) {
    return metrics.counter("hokusai_journal_refused_total",
                           "Calls that could not be taken into the journal, by reason.",
                           {{"reason", reason}});
}

void append(Batch& all, const Batch& batch) {
    std::ranges::copy(batch.accepted, std::back_inserter(all.accepted));
    std::ranges::copy(batch.delivered, std::back_inserter(all.delivered));
    std::ranges::copy(batch.rejected, std::back_inserter(all.rejected));
    std::ranges::copy(batch.rewritten, std::back_inserter(all.rewritten));
    std::ranges::copy(batch.held, std::back_inserter(all.held));
    std::ranges::copy(batch.released, std::back_inserter(all.released));
    std::ranges::copy(batch.renumbered, std::back_inserter(all.renumbered));
}

}  // namespace

Journal::Journal(Deps deps, JournalSettings settings)
    : deps_(deps),
      settings_(settings),
      accepted_(deps.metrics.counter("hokusai_journal_accepted_total", "Calls taken into the journal.")),
      delivered_(deps.metrics.counter("hokusai_journal_delivered_total", "Calls of the journal that MLflow took.")),
      rejected_(deps.metrics.counter("hokusai_journal_rejected_total", "Calls of the journal that MLflow refused.")),
      refused_full_(refused_counter(deps.metrics, "full")),
      refused_disk_(refused_counter(deps.metrics, "disk")) {}

base::Result<void> Journal::load() {
    const base::Result<std::vector<LaneSummary>> lanes = deps_.store.lanes();
    const base::Result<std::int64_t> last = lanes ? deps_.store.last_sequence() : std::unexpected(lanes.error());
    const base::Result<std::optional<base::WallTime>> oldest =
        last ? deps_.store.oldest() : std::unexpected(last.error());
    if (!oldest) {
        return std::unexpected(oldest.error());
    }
    const std::lock_guard lock(mutex_);
    last_sequence_ = *last;
    oldest_ = *oldest;
    began_ = deps_.clock.now();
    for (const LaneSummary& lane : *lanes) {
        lanes_[lane.lane].entries = lane.entries;
        entries_ += lane.entries;
        bytes_ += lane.bytes;
    }
    if (entries_ > 0) {
        telemetry::log_warn("journal_has_entries", {{"entries", entries_}, {"lanes", lanes_.size()}});
    }
    return {};
}

base::Task<base::Result<void>> Journal::accept(net::Worker& worker, Entry entry) {
    auto ticket = std::make_shared<Ticket>();
    ticket->lane = entry.lane;
    ticket->bytes = cost_of(entry);
    ticket->batch.accepted.push_back(std::move(entry));
    const base::Result<void> enqueued = enqueue(ticket);
    if (!enqueued) {
        co_return enqueued;
    }
    base::Result<void> outcome = co_await commit(worker, std::move(ticket));
    co_return outcome;
}

base::Result<void> Journal::enqueue(const std::shared_ptr<Ticket>& ticket) {
    const std::lock_guard lock(mutex_);
    if (entries_ >= settings_.max_entries || bytes_ + ticket->bytes > settings_.max_bytes) {
        refused_full_.add();
        return base::fail(
            base::Code::exhausted,
            fmt::format("the journal is full: {} writes that take {} bytes wait for MLflow (offline.max_entries, "
                        "offline.max_bytes)",
                        entries_,
                        bytes_));
    }
    if (waiting_.size() >= kMaxWaiting) {
        refused_disk_.add();
        return base::fail(base::Code::unavailable, "too many writes wait for the disk of the journal");
    }
    ++entries_;
    bytes_ += ticket->bytes;
    ticket->batch.accepted.front().sequence = ++last_sequence_;
    ++lanes_[ticket->lane].being_written;
    waiting_.push_back(ticket);
    return {};
}

base::Task<base::Result<void>> Journal::settle(net::Worker& worker, Settlement settlement) {
    auto ticket = std::make_shared<Ticket>();
    ticket->lane = std::move(settlement.lane);
    ticket->bytes = settlement.bytes;
    ticket->batch.delivered = std::move(settlement.delivered);
    ticket->batch.rejected = std::move(settlement.rejected);
    ticket->batch.rewritten = std::move(settlement.rewritten);
    ticket->batch.renumbered = std::move(settlement.renumbered);
    if (settlement.is_released) {
        ticket->batch.released.push_back(ticket->lane);
    }
    if (settlement.hold) {
        ticket->batch.held.push_back(*std::move(settlement.hold));
    }
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(ticket);
    }
    base::Result<void> outcome = co_await commit(worker, std::move(ticket));
    co_return outcome;
}

base::Task<base::Result<void>> Journal::commit(net::Worker& worker, std::shared_ptr<Ticket> ticket) {
    base::Result<void> outcome = co_await deps_.pool.run(worker, kPatience, [this, ticket] { return write(*ticket); });
    if (!outcome && outcome.error().code == base::Code::exhausted) {
        // It was not begun, and nobody would come for the ticket.
        const std::lock_guard lock(mutex_);
        const auto place = std::ranges::find(waiting_, ticket);
        if (place != waiting_.end()) {
            waiting_.erase(place);
            finish(*ticket, outcome);
        }
    }
    co_return outcome;
}

// On the pool's thread. Whoever comes first writes for all who wait, so most find their work done.
base::Result<void> Journal::write(Ticket& ticket) {
    for (;;) {
        {
            const std::lock_guard lock(mutex_);
            if (ticket.outcome) {
                return *ticket.outcome;
            }
        }
        const Tickets tickets = take_waiting();
        const base::Result<void> together = store_together(tickets);
        for (const std::shared_ptr<Ticket>& each : tickets) {
            // One that can't be written must not take the others with it: what makes room, above all.
            const bool is_alone = together || tickets.size() == 1;
            const base::Result<void> outcome = is_alone ? together : store_together({each});
            const std::lock_guard lock(mutex_);
            finish(*each, outcome);
        }
    }
}

Journal::Tickets Journal::take_waiting() {
    Tickets taken;
    std::uint64_t bytes = 0;
    const std::lock_guard lock(mutex_);
    while (!waiting_.empty() && taken.size() < kMaxTogether && bytes < kMaxBytesTogether) {
        bytes += waiting_.front()->bytes;
        taken.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
    return taken;
}

base::Result<void> Journal::store_together(const Tickets& tickets) {
    Batch all;
    for (const std::shared_ptr<Ticket>& ticket : tickets) {
        append(all, ticket->batch);
    }
    const base::Result<std::uint64_t> forgotten = deps_.store.commit(all, settings_.max_bytes / 8);
    if (!forgotten) {
        return std::unexpected(forgotten.error());
    }
    if (*forgotten > 0) {
        telemetry::log_warn("journal_rejected_forgotten", {{"entries", *forgotten}});
    }
    return {};
}

// With the mutex held.
void Journal::finish(Ticket& ticket, base::Result<void> outcome) {
    if (!ticket.batch.accepted.empty()) {
        note_accepted(ticket, outcome.has_value());
    } else if (outcome) {
        note_settled(ticket);
    }
    const auto lane = lanes_.find(ticket.lane);
    if (lane != lanes_.end() && lane->second.entries == 0 && lane->second.being_written == 0) {
        lanes_.erase(lane);
    }
    ticket.outcome = std::move(outcome);
}

void Journal::note_accepted(const Ticket& ticket, bool is_durable) {
    Lane& lane = lanes_[ticket.lane];
    --lane.being_written;
    if (!is_durable) {
        --entries_;
        bytes_ -= ticket.bytes;
        refused_disk_.add();
        return;
    }
    ++lane.entries;
    accepted_.add();
    if (!oldest_) {
        const Entry& entry = ticket.batch.accepted.front();
        oldest_ = entry.accepted_at;
        began_ = deps_.clock.now();
        settled_ = 0;
        telemetry::log_warn("journal_accepting", {{"first", entry.lane}, {"call", entry.target}});
    }
}

void Journal::note_settled(const Ticket& ticket) {
    const std::uint64_t count = ticket.batch.delivered.size() + ticket.batch.rejected.size();
    lanes_[ticket.lane].entries -= count;
    entries_ -= count;
    for (const Entry& entry : ticket.batch.rewritten) {
        bytes_ += cost_of(entry);
    }
    bytes_ -= ticket.bytes;
    settled_ += count;
    delivered_.add(ticket.batch.delivered.size());
    rejected_.add(ticket.batch.rejected.size());
    if (entries_ == 0 && count > 0) {
        oldest_.reset();
        const std::chrono::duration<double> since = deps_.clock.now() - began_;
        telemetry::log_info("journal_drained", {{"entries", settled_}, {"seconds", since.count()}});
    }
}

std::uint64_t Journal::waiting(std::string_view lane) const {
    const std::lock_guard lock(mutex_);
    const auto found = lanes_.find(lane);
    return found == lanes_.end() ? 0 : found->second.entries + found->second.being_written;
}

std::optional<std::string> Journal::next_lane(std::string_view after,
                                              const std::function<bool(const std::string&)>& is_ready) const {
    const std::lock_guard lock(mutex_);
    const auto start = lanes_.upper_bound(after);
    const auto fits = [&](const auto& lane) { return lane.second.entries > 0 && is_ready(lane.first); };
    auto found = std::find_if(start, lanes_.end(), fits);
    if (found == lanes_.end()) {
        found = std::find_if(lanes_.begin(), start, fits);
        return found == start ? std::nullopt : std::optional(found->first);
    }
    return found->first;
}

base::Task<base::Result<std::vector<Entry>>> Journal::head(net::Worker& worker,
                                                           std::string lane,
                                                           std::size_t max_entries,
                                                           std::uint64_t max_bytes) {
    auto entries = co_await deps_.pool.run(
        worker, kPatience, [&store = deps_.store, lane = std::move(lane), max_entries, max_bytes] {
            return store.head(lane, max_entries, max_bytes);
        });
    co_return entries;
}

std::vector<std::string> Journal::lanes(std::string_view prefix) const {
    std::vector<std::string> names;
    const std::lock_guard lock(mutex_);
    for (auto lane = lanes_.lower_bound(prefix); lane != lanes_.end() && lane->first.starts_with(prefix); ++lane) {
        if (lane->second.entries > 0) {
            names.push_back(lane->first);
        }
    }
    return names;
}

bool Journal::has_lanes(std::string_view prefix) const {
    const std::lock_guard lock(mutex_);
    const auto lane = lanes_.lower_bound(prefix);
    return lane != lanes_.end() && lane->first.starts_with(prefix);
}

base::Task<base::Result<std::vector<Hold>>> Journal::holds(net::Worker& worker) {
    auto holds = co_await deps_.pool.run(worker, kPatience, [&store = deps_.store] { return store.holds(); });
    co_return holds;
}

base::Task<> Journal::refresh(net::Worker& worker) {
    const auto oldest = co_await deps_.pool.run(worker, kPatience, [&store = deps_.store] { return store.oldest(); });
    const std::lock_guard lock(mutex_);
    if (oldest && *oldest && oldest_) {
        oldest_ = *oldest;
    }
}

Journal::Figures Journal::figures() const {
    const std::lock_guard lock(mutex_);
    return {entries_, bytes_, lanes_.size(), oldest_};
}

void export_journal(telemetry::Metrics& metrics, const Journal& journal, const base::Clock& clock) {
    const auto add = [&](const char* name, const char* help, auto read) {
        metrics.gauge(name, help, {}, [&journal, read] { return static_cast<double>(read(journal.figures())); });
    };
    using Figures = Journal::Figures;
    add("hokusai_journal_entries", "Calls that wait for MLflow.", [](const Figures& from) { return from.entries; });
    add("hokusai_journal_bytes", "How much of offline.max_bytes they take.", [](const Figures& from) {
        return from.bytes;
    });
    add("hokusai_journal_lanes", "Runs and models whose calls wait.", [](const Figures& from) { return from.lanes; });
    add("hokusai_journal_oldest_age_seconds", "How long the first of them has waited.", [&clock](const Figures& from) {
        const base::Duration age = from.oldest ? clock.wall_now() - *from.oldest : base::Duration(0);
        return std::max(0.0, std::chrono::duration<double>(age).count());
    });
}

}  // namespace journal
