#include "storage/sqlite_journal_store.hpp"

#include "storage/testing/file_size_limit.hpp"
#include "storage/testing/temporary_folder.hpp"

#include <gtest/gtest.h>

namespace storage {
namespace {

using journal::Entry;

class SqliteJournalStoreTest : public ::testing::Test {
protected:
    [[nodiscard]] std::unique_ptr<SqliteJournalStore> open() const {
        auto database = open_journal_database(folder_.path());
        EXPECT_TRUE(database) << database.error().message;
        return std::make_unique<SqliteJournalStore>(*std::move(database));
    }

    static Entry entry_of(std::int64_t sequence, std::string lane, std::string body = "{}") {
        return {sequence,
                std::move(lane),
                "team",
                "POST",
                "/call",
                std::move(body),
                "key",
                base::WallTime(std::chrono::microseconds(1000 + sequence))};
    }

    void accept(std::vector<Entry> entries) {
        EXPECT_TRUE(store_->commit({std::move(entries), {}, {}}, 0));
    }

    testing::TemporaryFolder folder_;
    std::unique_ptr<SqliteJournalStore> store_ = open();
};

TEST_F(SqliteJournalStoreTest, keeps_every_byte_of_an_entry) {
    const std::string body("{\"a\": \"\xC3\xA9\0\"}", 12);
    accept({entry_of(7, "a", body)});
    store_ = open();
    const auto head = store_->head("a", 10, 1U << 20U);
    ASSERT_TRUE(head && head->size() == 1);
    const Entry& entry = head->front();
    EXPECT_EQ(entry.sequence, 7);
    EXPECT_EQ(entry.workspace, "team");
    EXPECT_EQ(entry.method + entry.target + entry.key_id, "POST/callkey");
    EXPECT_EQ(entry.body, body);
    EXPECT_EQ(entry.accepted_at, base::WallTime(std::chrono::microseconds(1007)));
    EXPECT_EQ(store_->last_sequence().value(), 7);
    EXPECT_EQ(store_->oldest().value(), entry.accepted_at);
}

TEST_F(SqliteJournalStoreTest, gives_the_head_of_a_lane_within_bounds) {
    accept({entry_of(1, "a"), entry_of(2, "b"), entry_of(3, "a"), entry_of(4, "a")});
    const auto sequences = [this](std::size_t entries, std::uint64_t bytes) {
        std::vector<std::int64_t> found;
        for (const Entry& entry : store_->head("a", entries, bytes).value()) {
            found.push_back(entry.sequence);
        }
        return found;
    };
    EXPECT_EQ(sequences(10, 1U << 20U), (std::vector<std::int64_t>{1, 3, 4}));
    EXPECT_EQ(sequences(2, 1U << 20U), (std::vector<std::int64_t>{1, 3}));
    EXPECT_EQ(sequences(10, 2 * journal::cost_of(entry_of(1, "a"))), (std::vector<std::int64_t>{1, 3}));
    EXPECT_EQ(sequences(10, 1), std::vector<std::int64_t>{1});
}

TEST_F(SqliteJournalStoreTest, counts_what_waits_by_lane) {
    accept({entry_of(1, "a"), entry_of(2, "b"), entry_of(3, "a")});
    ASSERT_TRUE(store_->commit({{}, {1}, {}}, 0));
    const auto lanes = store_->lanes();
    ASSERT_TRUE(lanes && lanes->size() == 2);
    EXPECT_EQ(lanes->front().lane, "a");
    EXPECT_EQ(lanes->front().entries, 1U);
    EXPECT_EQ(lanes->front().bytes, journal::cost_of(entry_of(3, "a")));
}

TEST_F(SqliteJournalStoreTest, sets_rejected_entries_aside_and_forgets_the_oldest) {
    accept({entry_of(1, "a"), entry_of(2, "a"), entry_of(3, "a")});
    const std::uint64_t cost = journal::cost_of(entry_of(1, "a"));
    EXPECT_EQ(store_->commit({{}, {}, {{1, 400, "no", {}}, {2, 404, "gone", {}}}}, 2 * cost).value(), 0U);
    EXPECT_EQ(
        store_->commit({{}, {}, {{3, 400, "no", base::WallTime(std::chrono::microseconds(5))}}}, 2 * cost).value(), 1U);
    const auto rejected = store_->rejected(10);
    ASSERT_TRUE(rejected && rejected->size() == 2);
    EXPECT_EQ(rejected->front().entry.sequence, 2);
    EXPECT_EQ(rejected->front().rejection.reason, "gone");
    EXPECT_EQ(rejected->back().rejection.status, 400U);
    EXPECT_EQ(rejected->back().rejection.rejected_at, base::WallTime(std::chrono::microseconds(5)));
    EXPECT_EQ(store_->count_rejected().value(), 2U);
    EXPECT_TRUE(store_->lanes()->empty());
    EXPECT_EQ(store_->last_sequence().value(), 3);
}

TEST_F(SqliteJournalStoreTest, a_batch_is_written_whole_or_not_at_all) {
    accept({entry_of(1, "a")});
    EXPECT_FALSE(store_->commit({{entry_of(2, "b"), entry_of(1, "b")}, {1}, {}}, 0));
    ASSERT_EQ(store_->lanes()->size(), 1U);
    EXPECT_EQ(store_->lanes()->front().lane, "a");
}

TEST_F(SqliteJournalStoreTest, a_full_disk_is_told_and_loses_nothing) {
    accept({entry_of(1, "a")});
    {
        const testing::FileSizeLimit full(4096);
        const auto refused = store_->commit({{entry_of(2, "a", std::string(100'000, 'x'))}, {}, {}}, 0);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, base::Code::unavailable);
    }
    EXPECT_EQ(store_->head("a", 10, 1U << 20U)->size(), 1U);
}

TEST_F(SqliteJournalStoreTest, keeps_what_was_promised_and_rewrites_it) {
    journal::Entry entry = entry_of(1, "a");
    entry.about = "promised";
    accept({entry});
    EXPECT_EQ(store_->head("a", 1, 1)->front().about, "promised");
    entry.body = "another";
    entry.about = "otherwise";
    journal::Batch batch;
    batch.rewritten.push_back(entry);
    ASSERT_TRUE(store_->commit(batch, 0));
    const auto head = store_->head("a", 2, 1U << 20U);
    ASSERT_TRUE(head && head->size() == 1);
    EXPECT_EQ(head->front().body + head->front().about, "anotherotherwise");
    EXPECT_EQ(store_->lanes()->front().bytes, journal::cost_of(entry));
}

TEST_F(SqliteJournalStoreTest, holds_a_lane_until_it_is_released) {
    journal::Batch batch;
    batch.held.push_back({"a", "why", "{}", base::WallTime(std::chrono::microseconds(5))});
    ASSERT_TRUE(store_->commit(batch, 0));
    EXPECT_FALSE(store_->decide("b", journal::Decision::apply).value());
    EXPECT_EQ(store_->holds()->front().decision, journal::Decision::none);
    EXPECT_TRUE(store_->decide("a", journal::Decision::discard).value());
    const auto holds = store_->holds();
    ASSERT_TRUE(holds && holds->size() == 1);
    EXPECT_EQ(holds->front().lane + holds->front().reason + holds->front().about, "awhy{}");
    EXPECT_EQ(holds->front().since, base::WallTime(std::chrono::microseconds(5)));
    EXPECT_EQ(holds->front().decision, journal::Decision::discard);
    journal::Batch release;
    release.released.emplace_back("a");
    ASSERT_TRUE(store_->commit(release, 0));
    EXPECT_TRUE(store_->holds()->empty());
}

TEST_F(SqliteJournalStoreTest, remembers_the_numbers_that_were_given_otherwise) {
    journal::Batch batch;
    const journal::Renumbering first{"a", 2, 3, base::WallTime(std::chrono::microseconds(5))};
    const journal::Renumbering second{"a", 4, 5, base::WallTime(std::chrono::microseconds(6))};
    batch.renumbered = {first, second};
    ASSERT_TRUE(store_->commit(batch, 0));
    EXPECT_EQ(store_->renumberings(10).value(), (std::vector{first, second}));
    EXPECT_EQ(store_->renumberings(1).value(), std::vector{second});
}

TEST_F(SqliteJournalStoreTest, remembers_the_lanes_seen_last) {
    const auto seen = [](std::string lane, std::string about, int at) {
        return journal::KnownLane{std::move(lane), std::move(about), base::WallTime(std::chrono::microseconds(at))};
    };
    ASSERT_TRUE(store_->put_known_lanes(std::vector{seen("a", "1", 1), seen("b", "2", 2), seen("c", "3", 3)}, 3));
    ASSERT_TRUE(store_->put_known_lanes(std::vector{seen("a", "4", 4), seen("d", "5", 5)}, 3));
    const auto lanes = store_->known_lanes(2);
    ASSERT_TRUE(lanes && lanes->size() == 2);
    EXPECT_EQ((*lanes)[0].lane + (*lanes)[0].about, "d5");
    EXPECT_EQ((*lanes)[1].lane + (*lanes)[1].about, "a4");
    EXPECT_EQ(store_->known_lanes(10)->size(), 3U);
}

}  // namespace
}  // namespace storage
