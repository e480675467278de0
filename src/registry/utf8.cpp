#include "registry/utf8.hpp"

#include <algorithm>

#include "registry/word_ranges.hpp"

namespace registry {

namespace {

// How many bytes the sequence has that begins with `first`; 0: none begins so.
std::size_t sequence_length(unsigned char first) {
    if (first < 0x80U) {
        return 1;
    }
    if (first >= 0xC2U && first < 0xE0U) {
        return 2;
    }
    if (first >= 0xE0U && first < 0xF0U) {
        return 3;
    }
    return first >= 0xF0U && first < 0xF5U ? 4 : 0;
}

}  // namespace

char32_t next_code_point(std::string_view& text) {
    constexpr char32_t kReplacement = 0xFFFDU;
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t size = sequence_length(first);
    if (size == 0 || size > text.size()) {
        text.remove_prefix(1);
        return kReplacement;
    }
    char32_t point = size == 1 ? first : first & (0xFFU >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if ((byte & 0xC0U) != 0x80U) {
            text.remove_prefix(1);
            return kReplacement;
        }
        point = (point << 6U) | (byte & 0x3FU);
    }
    text.remove_prefix(size);
    return point;
}

std::size_t length(std::string_view text) {
    std::size_t count = 0;
    for (; !text.empty(); next_code_point(text)) {
        ++count;
    }
    return count;
}

bool is_word_character(char32_t c) {
    if (c < 0x80U) {
        return c == U'_' || (c >= U'0' && c <= U'9') || (c >= U'A' && c <= U'Z') || (c >= U'a' && c <= U'z');
    }
    const auto after = std::ranges::upper_bound(kWordRanges, c, {}, &WordRange::first);
    return after != kWordRanges.begin() && c <= std::prev(after)->last;
}

bool is_space(char32_t c) {
    return (c >= 0x09U && c <= 0x0DU) || (c >= 0x1CU && c <= 0x20U) || c == 0x85U || c == 0xA0U || c == 0x1680U ||
           (c >= 0x2000U && c <= 0x200AU) || c == 0x2028U || c == 0x2029U || c == 0x202FU || c == 0x205FU ||
           c == 0x3000U;
}

}  // namespace registry
