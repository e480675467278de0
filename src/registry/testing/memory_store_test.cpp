#include "registry/testing/memory_store.hpp"

#include "registry/testing/store_contract.hpp"
#include "registry/testing/store_filter_contract.hpp"
#include "registry/testing/store_search_contract.hpp"
#include "registry/testing/store_transaction_contract.hpp"

namespace registry::testing {

namespace {

std::shared_ptr<Store> make_memory_store() {
    return std::make_shared<MemoryStore>();
}

INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, ::testing::Values(&make_memory_store));
INSTANTIATE_TEST_SUITE_P(Memory, StoreFilterContract, ::testing::Values(&make_memory_store));
INSTANTIATE_TEST_SUITE_P(Memory, StoreSearchContract, ::testing::Values(&make_memory_store));
INSTANTIATE_TEST_SUITE_P(Memory, StoreTransactionContract, ::testing::Values(&make_memory_store));

}  // namespace

}  // namespace registry::testing
