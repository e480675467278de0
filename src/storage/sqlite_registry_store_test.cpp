#include "storage/sqlite_registry_store.hpp"

#include <memory>

#include "registry/testing/store_contract.hpp"
#include "registry/testing/store_filter_contract.hpp"
#include "registry/testing/store_search_contract.hpp"
#include "registry/testing/store_transaction_contract.hpp"
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
