// Code points of UTF-8 text.
#pragma once

#include <cstddef>
#include <string_view>

namespace registry {

// Takes one code point off the front of `text`, which is not empty. A byte that begins none counts as U+FFFD.
char32_t next_code_point(std::string_view& text);

// In code points.
std::size_t length(std::string_view text);

// What Python's \w matches: letters and digits of every script, and '_'.
bool is_word_character(char32_t c);

// What Python's str.strip() takes off.
bool is_space(char32_t c);

}  // namespace registry
