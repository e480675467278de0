// Chance that always falls the same way.
#pragma once

#include "base/random.hpp"

namespace base::testing {

class FixedRandom final : public Random {
public:
    // `unit` is what unit() answers, in [0, 1).
    explicit FixedRandom(double unit) : value_(static_cast<std::uint64_t>(unit * 0x1.0p53) << 11U) {}

    [[nodiscard]] std::uint64_t next() override {
        return value_;
    }

private:
    std::uint64_t value_;
};

}  // namespace base::testing
