// The port to where intents are kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "idempotency/intent.hpp"

namespace idempotency {

// An answer that was given, or would have been, is kept up to this size.
inline constexpr std::size_t kMaxAnswer = 16UL * 1024;

// What becomes of an intent on record. Changes of intents that are gone do nothing.
struct Change {
    std::int64_t id = 0;
    std::optional<Answer> answer;  // nothing: the intent is forgotten
    base::WallTime expires_at;     // of the answer
};

struct Begun {
    std::int64_t id = 0;            // of the new record; 0: none was made
    std::optional<Record> same;     // of the same identity
    std::vector<Record> unsettled;  // of the same model, where it can be looked up; a few of them
};

// Safe from any thread. Calls block; each is one transaction, durable when it returns.
class IntentJournal {
public:
    struct Limits {
        std::size_t unsettled = 10'000;  // no further intent is taken
        std::size_t with_key = 10'000;   // settled ones; the oldest are forgotten first
        base::Duration unsettled_age = std::chrono::hours(1);
    };

    virtual ~IntentJournal() = default;

    // Makes the changes; then puts the intent on record, unless it is there or, for creates, an unsettled one of its
    // model is. `may_record` false: looks only. Code::exhausted when too many are unsettled.
    virtual base::Result<Begun> begin(const Intent& intent,
                                      bool may_record,
                                      std::span<const Change> changes,
                                      base::WallTime now) = 0;

    // Makes the changes, and forgets some of what has expired by `now`.
    virtual base::Result<void> apply(std::span<const Change> changes, base::WallTime now) = 0;

    // All that have not expired, oldest first.
    virtual base::Result<std::vector<Record>> list_unsettled(base::WallTime now) = 0;
};

}  // namespace idempotency
