// Chance, injected so that tests can choose it.
#pragma once

#include <cstdint>
#include <random>

namespace base {

// Not for secrets: keys and peppers come from the operating system (auth/secret_bytes.hpp). Not safe for concurrent
// use.
class Random {
public:
    virtual ~Random() = default;
    [[nodiscard]] virtual std::uint64_t next() = 0;

    // Uniform in [0, 1).
    [[nodiscard]] double unit() {
        return static_cast<double>(next() >> 11U) * 0x1.0p-53;
    }
};

// Seeded by the caller; the same seed gives the same sequence.
class SeededRandom final : public Random {
public:
    explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}

    [[nodiscard]] std::uint64_t next() override {
        return engine_();
    }

private:
    std::mt19937_64 engine_;
};

// A seed from the operating system.
std::uint64_t system_seed();

}  // namespace base
