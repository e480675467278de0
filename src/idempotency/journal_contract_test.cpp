#include "idempotency/testing/journal_contract.hpp"

#include "idempotency/testing/memory_journal.hpp"

namespace idempotency {
namespace {

struct InMemory {
    static std::unique_ptr<IntentJournal> make(IntentJournal::Limits limits) {
        return std::make_unique<testing::MemoryJournal>(limits);
    }
};

}  // namespace

namespace testing {

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, JournalContract, InMemory);

}  // namespace testing
}  // namespace idempotency
