// Intents in SQLite.
#pragma once

#include "idempotency/intent_journal.hpp"
#include "storage/sqlite_database.hpp"

namespace storage {

// Safe from any thread; the database, of the main schema, must outlive it.
class SqliteIntentJournal final : public idempotency::IntentJournal {
public:
    explicit SqliteIntentJournal(SqliteDatabase& database, Limits limits = {}) : database_(database), limits_(limits) {}

    base::Result<idempotency::Begun> begin(const idempotency::Intent& intent,
                                           bool may_record,
                                           std::span<const idempotency::Change> changes,
                                           base::WallTime now) override;
    base::Result<void> apply(std::span<const idempotency::Change> changes, base::WallTime now) override;
    base::Result<std::vector<idempotency::Record>> list_unsettled(base::WallTime now) override;

private:
    SqliteDatabase& database_;
    const Limits limits_;
};

}  // namespace storage
