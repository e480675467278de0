// What every call must see of a circuit breaker at once, in one atomic word.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "resilience/breaker_status.hpp"

namespace resilience {

struct BreakerWord {
    std::uint64_t generation;     // 40 bits: at a thousand a second, 34 years
    std::uint32_t failure_count;  // 22 bits; stays at the largest
    BreakerState state;
};

// Written under the breaker's lock, except that successes take failures off with a compare-and-swap, which fails when
// the generation has changed meanwhile.
class AtomicBreakerWord {
public:
    [[nodiscard]] BreakerWord load() const {
        return unpack(bits_.load(std::memory_order_acquire));
    }

    void store(const BreakerWord& word) {
        bits_.store(pack(word), std::memory_order_release);
    }

    void add_failure() {
        update([](BreakerWord& word) {
            word.failure_count = std::min(word.failure_count + 1, kMostFailures);
            return true;
        });
    }

    // False, and nothing done, when `generation` is over.
    bool take_failure_off(std::uint64_t generation) {
        return update([generation](BreakerWord& word) {
            word.failure_count -= word.failure_count > 0 ? 1 : 0;
            return word.generation == generation;
        });
    }

private:
    static constexpr unsigned kStateBits = 2;
    static constexpr unsigned kFailureBits = 22;
    static constexpr std::uint32_t kMostFailures = (1U << kFailureBits) - 1;

    template <class Change>
    bool update(Change change) {
        std::uint64_t bits = bits_.load(std::memory_order_acquire);
        while (true) {
            BreakerWord word = unpack(bits);
            if (!change(word)) {
                return false;
            }
            if (pack(word) == bits || bits_.compare_exchange_weak(bits, pack(word), std::memory_order_acq_rel)) {
                return true;
            }
        }
    }

    static std::uint64_t pack(const BreakerWord& word) {
        return word.generation << (kStateBits + kFailureBits) | std::uint64_t{word.failure_count} << kStateBits |
               static_cast<std::uint64_t>(word.state);
    }

    static BreakerWord unpack(std::uint64_t bits) {
        return {.generation = bits >> (kStateBits + kFailureBits),
                .failure_count = static_cast<std::uint32_t>(bits >> kStateBits) & kMostFailures,
                .state = static_cast<BreakerState>(bits & ((1U << kStateBits) - 1))};
    }

    std::atomic<std::uint64_t> bits_{0};  // CLOSED, no failures, generation 0
};

}  // namespace resilience
