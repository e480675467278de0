// Intents in memory, for tests; the disk can fail.
#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "idempotency/intent_journal.hpp"

namespace idempotency::testing {

class MemoryJournal final : public IntentJournal {
public:
    explicit MemoryJournal(Limits limits = {}) : limits_(limits) {}

    base::Result<Begun> begin(const Intent& intent,
                              bool may_record,
                              std::span<const Change> changes,
                              base::WallTime now) override {
        const std::lock_guard guard(mutex_);
        if (is_failing_) {
            return base::fail(base::Code::unavailable, "the disk is full");
        }
        make(changes);
        Begun begun;
        for (const auto& [id, row] : rows_) {
            const Intent& other = row.record.intent;
            if (row.expires_at > now && other.identity == intent.identity) {
                begun.same = row.record;
            }
            if (row.expires_at > now && !row.record.answer && intent.kind != Kind::keyed_call &&
                other.model == intent.model && other.baseline) {
                begun.unsettled.push_back(row.record);
            }
        }
        if (begun.same || !begun.unsettled.empty() || !may_record) {
            return begun;
        }
        const auto unsettled = std::ranges::count_if(rows_, [](const auto& row) { return !row.second.record.answer; });
        if (static_cast<std::size_t>(unsettled) >= limits_.unsettled) {
            return base::fail(base::Code::exhausted, "too many are unsettled");
        }
        std::erase_if(rows_, [&](const auto& row) { return row.second.record.intent.identity == intent.identity; });
        begun.id = ++last_id_;
        rows_[begun.id] = {{.id = begun.id, .intent = intent, .answer = {}}, now + to_wall(limits_.unsettled_age)};
        return begun;
    }

    base::Result<void> apply(std::span<const Change> changes, base::WallTime now) override {
        const std::lock_guard guard(mutex_);
        if (is_failing_) {
            return base::fail(base::Code::unavailable, "the disk is full");
        }
        make(changes);
        std::erase_if(rows_, [now](const auto& row) { return row.second.expires_at <= now; });
        std::size_t kept = 0;
        for (auto row = rows_.rbegin(); row != rows_.rend();) {
            const Record& record = row->second.record;
            const bool counts = record.intent.has_key && record.answer;
            const bool goes = counts && ++kept > limits_.with_key;
            row = goes ? std::make_reverse_iterator(rows_.erase(std::next(row).base())) : std::next(row);
        }
        return {};
    }

    base::Result<std::vector<Record>> list_unsettled(base::WallTime now) override {
        const std::lock_guard guard(mutex_);
        std::vector<Record> records;
        for (const auto& [id, row] : rows_) {
            if (!row.record.answer && row.expires_at > now) {
                records.push_back(row.record);
            }
        }
        return records;
    }

    void fail(bool is_failing) {
        const std::lock_guard guard(mutex_);
        is_failing_ = is_failing;
    }

    [[nodiscard]] std::size_t size() const {
        const std::lock_guard guard(mutex_);
        return rows_.size();
    }

private:
    struct Row {
        Record record;
        base::WallTime expires_at;
    };

    static base::WallTime::duration to_wall(base::Duration duration) {
        return std::chrono::duration_cast<base::WallTime::duration>(duration);
    }

    void make(std::span<const Change> changes) {
        for (const Change& change : changes) {
            const auto row = rows_.find(change.id);
            if (row == rows_.end()) {
                continue;
            }
            if (!change.answer) {
                rows_.erase(row);
                continue;
            }
            row->second.record.answer = change.answer;
            row->second.record.intent.arguments.clear();
            row->second.expires_at = change.expires_at;
        }
    }

    const Limits limits_;
    mutable std::mutex mutex_;  // guards all below
    std::map<std::int64_t, Row> rows_;
    std::int64_t last_id_ = 0;
    bool is_failing_ = false;
};

}  // namespace idempotency::testing
