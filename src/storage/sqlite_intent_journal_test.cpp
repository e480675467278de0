#include "storage/sqlite_intent_journal.hpp"

#include "idempotency/testing/journal_contract.hpp"
#include "storage/testing/file_size_limit.hpp"
#include "storage/testing/temporary_folder.hpp"

namespace storage {
namespace {

// A database with its journal.
class OwningJournal final : public idempotency::IntentJournal {
public:
    OwningJournal(const std::filesystem::path& folder, Limits limits)
        : database_(open_database(folder).value()), journal_(*database_, limits) {}

    base::Result<idempotency::Begun> begin(const idempotency::Intent& intent,
                                           bool may_record,
                                           std::span<const idempotency::Change> changes,
                                           base::WallTime now) override {
        return journal_.begin(intent, may_record, changes, now);
    }

    base::Result<void> apply(std::span<const idempotency::Change> changes, base::WallTime now) override {
        return journal_.apply(changes, now);
    }

    base::Result<std::vector<idempotency::Record>> list_unsettled(base::WallTime now) override {
        return journal_.list_unsettled(now);
    }

private:
    std::unique_ptr<SqliteDatabase> database_;
    SqliteIntentJournal journal_;
};

struct InSqlite {
    std::unique_ptr<idempotency::IntentJournal> make(idempotency::IntentJournal::Limits limits) {
        return std::make_unique<OwningJournal>(folder.path(), limits);
    }

    testing::TemporaryFolder folder;
};

TEST(SqliteIntentJournal, keeps_what_is_on_record_over_a_restart) {
    const testing::TemporaryFolder folder;
    const base::WallTime now{std::chrono::seconds(1'700'000'000)};
    const idempotency::Intent intent = idempotency::testing::version_intent(1);
    {
        OwningJournal journal(folder.path(), {});
        ASSERT_TRUE(journal.begin(intent, true, {}, now));
    }
    OwningJournal journal(folder.path(), {});
    const auto unsettled = journal.list_unsettled(now).value();
    ASSERT_EQ(unsettled.size(), 1U);
    EXPECT_EQ(unsettled.front().intent, intent);
}

}  // namespace
}  // namespace storage

namespace idempotency::testing {

INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, JournalContract, storage::InSqlite);

}  // namespace idempotency::testing
