// A journal's rows in memory, on a disk that fails when a test says so.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "journal/journal_store.hpp"

namespace journal::testing {

class MemoryJournalStore final : public JournalStore {
public:
    base::Result<std::uint64_t> commit(const Batch& batch, std::uint64_t /*max_rejected_bytes*/) override {
        const std::lock_guard lock(mutex_);
        commits.push_back(batch);
        if (fails && fails(batch)) {
            return base::fail(base::Code::unavailable, "the disk is full");
        }
        for (const Entry& entry : batch.accepted) {
            entries[entry.sequence] = entry;
        }
        for (const Entry& entry : batch.rewritten) {
            entries.at(entry.sequence) = entry;
        }
        for (const Hold& hold : batch.held) {
            held[hold.lane] = hold;
        }
        for (const std::string& lane : batch.released) {
            held.erase(lane);
        }
        std::ranges::copy(batch.renumbered, std::back_inserter(renumbered));
        for (const std::int64_t sequence : batch.delivered) {
            entries.erase(sequence);
        }
        for (const Rejection& rejection : batch.rejected) {
            set_aside.push_back({entries.at(rejection.sequence), rejection});
            entries.erase(rejection.sequence);
        }
        return 0;
    }

    base::Result<std::vector<LaneSummary>> lanes() override {
        const std::lock_guard lock(mutex_);
        std::map<std::string, LaneSummary> lanes;
        for (const auto& [sequence, entry] : entries) {
            LaneSummary& lane = lanes[entry.lane];
            lane.lane = entry.lane;
            ++lane.entries;
            lane.bytes += cost_of(entry);
        }
        std::vector<LaneSummary> list;
        for (auto& [name, lane] : lanes) {
            list.push_back(std::move(lane));
        }
        return list;
    }

    base::Result<std::optional<base::WallTime>> oldest() override {
        const std::lock_guard lock(mutex_);
        return entries.empty() ? std::nullopt : std::optional(entries.begin()->second.accepted_at);
    }

    base::Result<std::int64_t> last_sequence() override {
        const std::lock_guard lock(mutex_);
        std::int64_t last = entries.empty() ? 0 : entries.rbegin()->first;
        for (const RejectedEntry& each : set_aside) {
            last = std::max(last, each.entry.sequence);
        }
        return last;
    }

    base::Result<std::vector<Entry>> head(std::string_view lane,
                                          std::size_t max_entries,
                                          std::uint64_t max_bytes) override {
        const std::lock_guard lock(mutex_);
        std::vector<Entry> found;
        std::uint64_t bytes = 0;
        for (const auto& [sequence, entry] : entries) {
            if (entry.lane != lane) {
                continue;
            }
            bytes += cost_of(entry);
            if (found.size() == max_entries || (!found.empty() && bytes > max_bytes)) {
                break;
            }
            found.push_back(entry);
        }
        return found;
    }

    base::Result<std::vector<RejectedEntry>> rejected(std::size_t /*limit*/) override {
        const std::lock_guard lock(mutex_);
        return set_aside;
    }

    base::Result<std::uint64_t> count_rejected() override {
        const std::lock_guard lock(mutex_);
        return set_aside.size();
    }

    base::Result<std::vector<Hold>> holds() override {
        const std::lock_guard lock(mutex_);
        std::vector<Hold> list;
        for (const auto& [lane, hold] : held) {
            list.push_back(hold);
        }
        return list;
    }

    base::Result<bool> decide(std::string_view lane, Decision decision) override {
        const std::lock_guard lock(mutex_);
        const auto found = held.find(std::string(lane));
        if (found == held.end()) {
            return false;
        }
        found->second.decision = decision;
        return true;
    }

    base::Result<std::vector<Renumbering>> renumberings(std::size_t /*limit*/) override {
        const std::lock_guard lock(mutex_);
        return renumbered;
    }

    base::Result<std::vector<KnownLane>> known_lanes(std::size_t /*limit*/) override {
        return std::vector<KnownLane>();
    }

    base::Result<void> put_known_lanes(std::span<const KnownLane> /*lanes*/, std::size_t /*limit*/) override {
        return {};
    }

    // What the disk holds; for a test while nobody writes.
    std::map<std::int64_t, Entry> entries;
    std::vector<RejectedEntry> set_aside;
    std::map<std::string, Hold> held;
    std::vector<Renumbering> renumbered;
    std::vector<Batch> commits;                 // those that failed, too
    std::function<bool(const Batch&)> fails{};  // on the pool's thread

private:
    std::mutex mutex_;
};

}  // namespace journal::testing
