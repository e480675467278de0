// The registrations that are not settled: which of them is being applied, and which comes next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "models/registration.hpp"

namespace models {

// Safe from any thread. Pure: what it knows of is in the RegistrationStore.
class RegistrationBook {
public:
    // All that wait when the process starts, oldest first.
    void load(const std::vector<WaitingRegistration>& waiting);

    // A new one. Whether it may be applied now, and is its caller's to apply: no earlier one of its model waits.
    bool enter(const std::string& id, const std::string& model);

    struct Turn {
        std::string id;
        unsigned doubts = 0;  // so many attempts failed with Code::internal
    };

    // The oldest that is due, now the caller's to apply; the ones of a model come in their order.
    std::optional<Turn> take(base::MonotonicTime now);

    void settled(const std::string& id);

    // It could not be applied, and is tried again after a while, longer each time.
    void put_back(const std::string& id, base::MonotonicTime now, bool is_doubtful);

    [[nodiscard]] std::size_t size() const;

private:
    struct Entry {
        std::string id;
        std::string model;
        bool is_taken = false;
        unsigned failures = 0;
        unsigned doubts = 0;
        base::MonotonicTime due{};
    };

    std::list<Entry>::iterator find(const std::string& id);

    mutable std::mutex mutex_;  // guards entries_
    std::list<Entry> entries_;  // oldest first
};

}  // namespace models
