// The journal's entries, rejected entries and known lanes in SQLite.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "journal/journal_store.hpp"
#include "storage/sqlite_database.hpp"

namespace storage {

class SqliteJournalStore final : public journal::JournalStore {
public:
    explicit SqliteJournalStore(std::unique_ptr<SqliteDatabase> database) : database_(std::move(database)) {}

    base::Result<std::uint64_t> commit(const journal::Batch& batch, std::uint64_t max_rejected_bytes) override;
    base::Result<std::vector<journal::LaneSummary>> lanes() override;
    base::Result<std::optional<base::WallTime>> oldest() override;
    base::Result<std::int64_t> last_sequence() override;
    base::Result<std::vector<journal::Entry>> head(std::string_view lane,
                                                   std::size_t max_entries,
                                                   std::uint64_t max_bytes) override;
    base::Result<std::vector<journal::RejectedEntry>> rejected(std::size_t limit) override;
    base::Result<std::uint64_t> count_rejected() override;
    base::Result<std::vector<journal::Hold>> holds() override;
    base::Result<bool> decide(std::string_view lane, journal::Decision decision) override;
    base::Result<std::vector<journal::Renumbering>> renumberings(std::size_t limit) override;
    base::Result<std::vector<journal::KnownLane>> known_lanes(std::size_t limit) override;
    base::Result<void> put_known_lanes(std::span<const journal::KnownLane> lanes, std::size_t limit) override;

private:
    std::unique_ptr<SqliteDatabase> database_;
};

}  // namespace storage
