#include "auth/secret_bytes.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <sys/random.h>

#include "base/ensure.hpp"
#include "base/strings.hpp"

namespace auth {

void fill_secret_bytes(std::span<unsigned char> out) {
    constexpr std::size_t kMaxPerCall = 256;  // getentropy(3) refuses more
    while (!out.empty()) {
        const std::size_t part = std::min(out.size(), kMaxPerCall);
        ENSURE(::getentropy(out.data(), part) == 0, "Linux always has a random generator");
        out = out.subspan(part);
    }
}

std::string random_uuid() {
    std::array<unsigned char, 16> bytes{};
    fill_secret_bytes(bytes);
    bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0FU) | 0x40U);
    bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3FU) | 0x80U);

    std::string text = base::to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    for (const std::size_t dash : {8U, 13U, 18U, 23U}) {
        text.insert(dash, 1, '-');
    }
    return text;
}

}  // namespace auth
