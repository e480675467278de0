// What the fuzz targets share. A target is one function over bytes of a peer; it throws when one of its rules is
// broken, which ends a fuzzer.
#pragma once

#include <cstdint>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

struct Target {
    std::string_view name;
    void (*run)(std::string_view bytes);
};

// Those linked into this executable: one in a fuzzer, all of them in the test that replays the corpora.
inline std::vector<Target>& targets() {
    static std::vector<Target> all;
    return all;
}

struct Registration {
    Registration(std::string_view name, void (*run)(std::string_view bytes)) {
        targets().push_back({name, run});
    }
};

inline void require(bool condition, std::source_location where = std::source_location::current()) {
    if (!condition) {
        throw std::logic_error(std::string(where.file_name()) + ":" + std::to_string(where.line()) +
                               ": a rule is broken");
    }
}

// `bytes` as they could arrive: in pieces of up to `longest`, whose sizes follow from the bytes themselves.
inline std::vector<std::string_view> cut(std::string_view bytes, std::size_t longest) {
    std::uint64_t state = 0xcbf29ce484222325U;
    for (const char c : bytes) {
        state = (state ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    }
    std::vector<std::string_view> pieces;
    while (!bytes.empty()) {
        state ^= state << 13U;
        state ^= state >> 7U;
        state ^= state << 17U;
        pieces.push_back(bytes.substr(0, 1 + state % longest));
        bytes.remove_prefix(pieces.back().size());
    }
    return pieces;
}

// All at once, in pieces, and (if that is cheap) byte after byte.
inline std::vector<std::vector<std::string_view>> arrivals(std::string_view bytes) {
    std::vector<std::vector<std::string_view>> ways{{bytes}, cut(bytes, 64)};
    if (bytes.size() <= 512) {
        ways.push_back(cut(bytes, 1));
    }
    return ways;
}

}  // namespace fuzz
