#include "storage/sqlite_registry_store.hpp"

#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include "registry/testing/store_contract.hpp"
#include "registry/testing/store_filter_contract.hpp"
#include "registry/testing/store_search_contract.hpp"
#include "registry/testing/store_transaction_contract.hpp"
#include "storage/testing/file_size_limit.hpp"
#include "storage/testing/temporary_folder.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

namespace storage {
namespace {

struct StoreInFolder {
    testing::TemporaryFolder folder;
    std::unique_ptr<SqliteRegistryStore> store;
};

std::shared_ptr<registry::Store> keep(std::unique_ptr<StoreInFolder> kept, std::unique_ptr<SqliteDatabase> database) {
    kept->store = std::move(SqliteRegistryStore::open(std::move(database)).value());
    const std::shared_ptr<StoreInFolder> owner = std::move(kept);
    return {owner, owner->store.get()};
}

std::shared_ptr<registry::Store> make_main() {
    auto kept = std::make_unique<StoreInFolder>();
    auto database = std::move(open_database(kept->folder.path()).value());
    return keep(std::move(kept), std::move(database));
}

std::shared_ptr<registry::Store> make_replica() {
    auto kept = std::make_unique<StoreInFolder>();
    auto database = std::move(open_replica_database(kept->folder.path()).value());
    return keep(std::move(kept), std::move(database));
}

using registry::Reader;
using registry::Writer;
using registry::testing::make_model;
using registry::testing::make_version;

struct SqliteRegistryStoreTest : public ::testing::Test {
    std::unique_ptr<SqliteRegistryStore> open() {
        return std::move(SqliteRegistryStore::open(std::move(open_database(folder.path()).value())).value());
    }

    void run_sql(const char* text) {
        EXPECT_TRUE(SqliteDatabase::open(database_file(folder.path()))
                        .value()
                        ->transaction([&](SQLite::Database& connection) -> base::Result<void> {
                            connection.exec(text);
                            return {};
                        }));
    }

    static base::Result<void> put(registry::Store& store, const std::string& name, std::int64_t versions) {
        return store.write([&](Writer& writer) -> base::Result<void> {
            base::Result<void> done = writer.put_model("", make_model(name));
            for (std::int64_t i = 1; done && i <= versions; ++i) {
                done = writer.put_version("", make_version(name, i));
            }
            return done;
        });
    }

    static registry::Counts counts(registry::Store& store) {
        registry::Counts counts;
        EXPECT_TRUE(store.read([&](Reader& reader) -> base::Result<void> {
            counts = reader.counts().value();
            return {};
        }));
        return counts;
    }

    static base::Error find_error(registry::Store& store) {
        const auto read = store.read([](Reader& reader) -> base::Result<void> {
            const auto found = reader.find_version({"", "fox"}, 1);
            return found ? base::Result<void>() : std::unexpected(found.error());
        });
        return read ? base::Error{base::Code::internal, "found"} : read.error();
    }

    testing::TemporaryFolder folder;
};

TEST_F(SqliteRegistryStoreTest, a_process_killed_in_a_transaction_loses_only_that_one) {
    const ::pid_t child = ::fork();
    if (child == 0) {
        const auto store = open();
        if (!put(*store, "fox", 3)) {
            ::_exit(1);
        }
        const auto unreachable = store->write([](Writer& writer) -> base::Result<void> {
            base::Result<void> erased = writer.erase_model({"", "fox"});
            ::raise(SIGKILL);
            return erased;
        });
        ::_exit(unreachable ? 2 : 3);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << status;

    const auto store = open();
    EXPECT_EQ(counts(*store).versions, 3);
    EXPECT_TRUE(put(*store, "owl", 1));
}

TEST_F(SqliteRegistryStoreTest, a_read_waits_for_no_write_and_no_other_read) {
    const auto store = open();
    ASSERT_TRUE(put(*store, "fox", 1));

    ASSERT_TRUE(store->write([&](Writer& writer) -> base::Result<void> {
        EXPECT_TRUE(writer.erase_model({"", "fox"}));
        return store->read([&](Reader& first) -> base::Result<void> {
            EXPECT_EQ(first.counts().value().versions, 1);
            return store->read([](Reader& second) -> base::Result<void> {
                EXPECT_EQ(second.counts().value().versions, 1);
                return {};
            });
        });
    }));

    EXPECT_EQ(counts(*store).versions, 0);
}

TEST_F(SqliteRegistryStoreTest, neighbours_see_what_each_other_writes) {
    const auto store = open();
    const auto neighbour = open();

    ASSERT_TRUE(put(*store, "fox", 1));
    EXPECT_EQ(counts(*neighbour).versions, 1);
    ASSERT_TRUE(put(*neighbour, "fox", 2));
    EXPECT_EQ(counts(*store).versions, 2);
}

TEST_F(SqliteRegistryStoreTest, a_full_disk_fails_the_write_and_nothing_else) {
    const auto store = open();
    ASSERT_TRUE(put(*store, "fox", 2));
    {
        const testing::FileSizeLimit limit(std::filesystem::file_size(database_file(folder.path()).string() + "-wal") +
                                           10'000);

        const auto full = put(*store, "owl", 1000);

        ASSERT_FALSE(full);
        EXPECT_EQ(full.error().code, base::Code::unavailable);
        EXPECT_EQ(counts(*store).versions, 2);
    }
    EXPECT_EQ(counts(*store).models, 1);
    EXPECT_TRUE(put(*store, "owl", 1000));
    EXPECT_EQ(counts(*open()).versions, 1002);
}

TEST_F(SqliteRegistryStoreTest, half_a_row_is_not_committed_even_if_nobody_minds) {
    const auto store = open();
    run_sql("CREATE TRIGGER no_tags BEFORE INSERT ON registry_model_tags BEGIN SELECT RAISE(FAIL, 'x'); END");

    const auto written = store->write([](Writer& writer) -> base::Result<void> {
        registry::RegisteredModel model = make_model("fox");
        model.tags = {{"a", "b"}};
        EXPECT_FALSE(writer.put_model("", model));
        return {};
    });

    EXPECT_FALSE(written);
    EXPECT_EQ(counts(*store).models, 0);
}

TEST_F(SqliteRegistryStoreTest, a_damaged_row_is_data_loss) {
    const auto store = open();
    ASSERT_TRUE(put(*store, "fox", 1));
    for (const char* damage : {"unknown = '{'",
                               "unknown = '[1]'",
                               "unknown = '', tags = '{}'",
                               "tags = '[1]'",
                               "tags = '[[\"a\"]]'",
                               "tags = '[[\"a\", 1]]'",
                               "tags = '[[\"a\", \"b\", \"c\"]]'"}) {
        run_sql(("UPDATE registry_versions SET " + std::string(damage)).c_str());
        EXPECT_EQ(find_error(*store).code, base::Code::data_loss) << damage;
        EXPECT_NE(find_error(*store).message.find("model version"), std::string::npos);
    }
    run_sql("UPDATE registry_versions SET tags = ''; UPDATE registry_models SET aliases = '[[\"a\", \"b\"]]'");
    EXPECT_EQ(find_error(*store).code, base::Code::data_loss);
    EXPECT_FALSE(put(*store, "fox", 1));
}

TEST_F(SqliteRegistryStoreTest, the_replica_is_a_database_of_its_own) {
    const auto main = open();
    const auto replica = SqliteRegistryStore::open(std::move(open_replica_database(folder.path()).value())).value();

    ASSERT_TRUE(put(*replica, "fox", 1));

    EXPECT_EQ(counts(*main).models, 0);
    EXPECT_EQ(counts(*replica).models, 1);
}

}  // namespace
}  // namespace storage

namespace registry::testing {

INSTANTIATE_TEST_SUITE_P(Main, StoreContract, ::testing::Values(&storage::make_main));
INSTANTIATE_TEST_SUITE_P(Main, StoreFilterContract, ::testing::Values(&storage::make_main));
INSTANTIATE_TEST_SUITE_P(Main, StoreSearchContract, ::testing::Values(&storage::make_main));
INSTANTIATE_TEST_SUITE_P(Main, StoreTransactionContract, ::testing::Values(&storage::make_main));
INSTANTIATE_TEST_SUITE_P(Replica, StoreContract, ::testing::Values(&storage::make_replica));
INSTANTIATE_TEST_SUITE_P(Replica, StoreFilterContract, ::testing::Values(&storage::make_replica));
INSTANTIATE_TEST_SUITE_P(Replica, StoreSearchContract, ::testing::Values(&storage::make_replica));
INSTANTIATE_TEST_SUITE_P(Replica, StoreTransactionContract, ::testing::Values(&storage::make_replica));

}  // namespace registry::testing
