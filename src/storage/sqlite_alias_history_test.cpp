#include "storage/sqlite_alias_history.hpp"

#include <memory>

#include "registry/testing/alias_history_contract.hpp"
#include "storage/sqlite_version_loads.hpp"
#include "storage/testing/temporary_folder.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

namespace storage {
namespace {

using registry::testing::make_change;

struct HistoryInFolder {
    testing::TemporaryFolder folder;
    std::unique_ptr<SqliteAliasHistory> history =
        std::make_unique<SqliteAliasHistory>(std::move(open_database(folder.path()).value()), "http://mlflow:5000");
};

std::shared_ptr<registry::AliasHistory> make_history() {
    const auto kept = std::make_shared<HistoryInFolder>();
    return {kept, kept->history.get()};
}

const registry::ModelKey kFox{"", "fox"};

class SqliteAliasHistoryTest : public ::testing::Test {
protected:
    SqliteAliasHistory open(const std::string& registry) {
        return {std::move(open_database(folder_.path()).value()), registry};
    }

    std::int64_t count() {
        return open_database(folder_.path())
            .value()
            ->read([](SQLite::Database& connection) -> base::Result<std::int64_t> {
                return connection.execAndGet("SELECT count(*) FROM alias_changes").getInt64();
            })
            .value();
    }

    testing::TemporaryFolder folder_;
};

TEST_F(SqliteAliasHistoryTest, forgets_the_oldest_of_a_model_but_not_where_an_alias_is) {
    SqliteAliasHistory history = open("");
    ASSERT_TRUE(history.append({make_change(kFox, "old", std::nullopt, 1)}));
    ASSERT_TRUE(history.append({make_change({"", "owl"}, "old", std::nullopt, 1)}));
    constexpr std::int64_t kMore = 20;
    for (std::int64_t i = 0; i < registry::AliasHistory::kMaxChangesOfModel + kMore; i += 10) {
        std::vector<registry::AliasChange> changes;
        for (std::int64_t j = i; j < i + 10; ++j) {
            changes.push_back(make_change(kFox, "a", j, j + 1));
        }
        ASSERT_TRUE(history.append(changes));
    }
    const auto kept = history.changes(kFox, 5000).value();
    EXPECT_EQ(kept.size(), 1000U);
    EXPECT_EQ(kept.front().to, 1020);
    EXPECT_EQ(kept.back().to, 21);
    EXPECT_EQ(history.last_seen(kFox).value(), (std::vector<registry::Alias>{{"a", 1020}, {"old", 1}}));
    EXPECT_EQ(history.changes({"", "owl"}, 10).value().size(), 1U);
}

TEST_F(SqliteAliasHistoryTest, forgets_the_oldest_of_all) {
    SqliteAliasHistory history = open("");
    ASSERT_TRUE(history.append({make_change(kFox, "a", std::nullopt, 1), make_change(kFox, "a", 1, 2)}));
    ASSERT_TRUE(
        open_database(folder_.path()).value()->transaction([](SQLite::Database& connection) -> base::Result<void> {
            connection.exec("UPDATE sqlite_sequence SET seq = 1000001 WHERE name = 'alias_changes'");
            return {};
        }));
    ASSERT_TRUE(history.append({make_change({"", "owl"}, "a", std::nullopt, 1)}));
    EXPECT_EQ(count(), 1);
    EXPECT_EQ(history.last_seen(kFox).value().size(), 1U);
}

TEST_F(SqliteAliasHistoryTest, keeps_the_histories_of_registries_apart) {
    SqliteAliasHistory own = open("");
    SqliteAliasHistory other = open("http://mlflow:5000");
    ASSERT_TRUE(own.append({make_change(kFox, "a", std::nullopt, 1)}));
    EXPECT_TRUE(other.changes(kFox, 10).value().empty());
    EXPECT_TRUE(other.last_seen(kFox).value().empty());
    EXPECT_TRUE(other.models(std::nullopt, 10).value().empty());
}

TEST_F(SqliteAliasHistoryTest, appends_all_or_nothing_and_outlives_its_process) {
    ASSERT_TRUE(open("").append({make_change(kFox, "a", std::nullopt, 1)}));
    ASSERT_TRUE(
        open_database(folder_.path()).value()->transaction([](SQLite::Database& connection) -> base::Result<void> {
            connection.exec(
                "CREATE TRIGGER full BEFORE INSERT ON alias_changes WHEN NEW.alias = 'z'"
                " BEGIN SELECT RAISE(ABORT, 'full'); END");
            return {};
        }));
    SqliteAliasHistory history = open("");
    EXPECT_FALSE(history.append({make_change(kFox, "b", std::nullopt, 1), make_change(kFox, "z", std::nullopt, 1)}));
    EXPECT_EQ(history.changes(kFox, 10).value().size(), 1U);
    EXPECT_EQ(history.last_seen(kFox).value(), (std::vector<registry::Alias>{{"a", 1}}));
}

TEST_F(SqliteAliasHistoryTest, keeps_loads_the_last_of_each_and_no_more_than_there_is_room_for) {
    SqliteVersionLoads kept(std::move(open_database(folder_.path()).value()), "");
    const registry::VersionLoad first{kFox, 1, {"k", "one"}, 5};
    registry::VersionLoad later = first;
    later.at = 9;
    ASSERT_TRUE(kept.put({first}));
    ASSERT_TRUE(kept.put({later}));
    EXPECT_EQ(kept.all().value(), (std::vector{later}));

    std::vector<registry::VersionLoad> many;
    for (std::size_t i = 0; i < registry::VersionLoads::kCapacity; ++i) {
        many.push_back({kFox, static_cast<std::int64_t>(i) + 2, {"k", "one"}, 100 + static_cast<std::int64_t>(i)});
    }
    ASSERT_TRUE(kept.put(many));
    const auto all = kept.all().value();
    EXPECT_EQ(all.size(), registry::VersionLoads::kCapacity);
    EXPECT_EQ(std::ranges::count(all, later), 0);
    EXPECT_TRUE(SqliteVersionLoads(std::move(open_database(folder_.path()).value()), "other").all().value().empty());
}

}  // namespace
}  // namespace storage

namespace registry::testing {

INSTANTIATE_TEST_SUITE_P(Sqlite, AliasHistoryContract, ::testing::Values(&storage::make_history));

}  // namespace registry::testing
