#include "registry/testing/store_contract.hpp"

#include "registry/indexed_store.hpp"
#include "registry/testing/memory_store.hpp"
#include "registry/testing/store_filter_contract.hpp"
#include "registry/testing/store_search_contract.hpp"
#include "registry/testing/store_transaction_contract.hpp"

namespace registry::testing {

namespace {

std::shared_ptr<Store> make_memory_store() {
    return std::make_shared<MemoryStore>();
}

struct Indexed {
    MemoryStore memory;
    AliasIndex index;
    IndexedStore store{memory, index};
};

std::shared_ptr<Store> make_indexed_store() {
    const auto indexed = std::make_shared<Indexed>();
    return {indexed, &indexed->store};
}

auto stores() {
    return ::testing::Values(&make_memory_store, &make_indexed_store);
}

INSTANTIATE_TEST_SUITE_P(MemoryAndIndexed, StoreContract, stores());
INSTANTIATE_TEST_SUITE_P(MemoryAndIndexed, StoreFilterContract, stores());
INSTANTIATE_TEST_SUITE_P(MemoryAndIndexed, StoreSearchContract, stores());
INSTANTIATE_TEST_SUITE_P(MemoryAndIndexed, StoreTransactionContract, stores());

}  // namespace

}  // namespace registry::testing
