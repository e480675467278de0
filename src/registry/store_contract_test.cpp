#include "registry/testing/store_contract.hpp"

#include "base/testing/manual_clock.hpp"
#include "registry/indexed_store.hpp"
#include "registry/recorded_store.hpp"
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

struct Recorded {
    base::testing::ManualClock clock;
    MemoryStore memory;
    RecordedStore store{memory, clock};
};

std::shared_ptr<Store> make_recorded_store() {
    const auto recorded = std::make_shared<Recorded>();
    return {recorded, &recorded->store};
}

auto stores() {
    return ::testing::Values(&make_memory_store, &make_indexed_store, &make_recorded_store);
}

INSTANTIATE_TEST_SUITE_P(MemoryAndAround, StoreContract, stores());
INSTANTIATE_TEST_SUITE_P(MemoryAndAround, StoreFilterContract, stores());
INSTANTIATE_TEST_SUITE_P(MemoryAndAround, StoreSearchContract, stores());
INSTANTIATE_TEST_SUITE_P(MemoryAndAround, StoreTransactionContract, stores());

}  // namespace

}  // namespace registry::testing
