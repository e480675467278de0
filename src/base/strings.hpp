// Small text helpers of the wire: ASCII only, no locale.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace base {

// Case-insensitive for ASCII letters.
bool iequals(std::string_view left, std::string_view right);
bool istarts_with(std::string_view text, std::string_view prefix);

// Without spaces and tabs at both ends.
std::string_view trim(std::string_view text);

std::string to_lower(std::string_view text);

// Takes the first part, trimmed, and its separator from the front of `list`; parts without text are skipped. Nothing
// when none is left.
std::optional<std::string_view> next_part(std::string_view& list, char separator);

// All parts.
std::vector<std::string_view> split_list(std::string_view text, char separator);

// Digits only, no sign, no space; nothing on overflow.
std::optional<std::uint64_t> parse_uint(std::string_view text);

// Fills `out` with the last hexadecimal digits of `value`, lower-case.
void write_hex(std::span<char> out, std::uint64_t value);

void append_decimal(std::string& out, std::uint64_t value);

// With %XX replaced by its byte; a stray % stays.
std::string percent_decode(std::string_view text);

// Its inverse, for any part of a URL: all but letters, digits and -._~ becomes %XX.
std::string percent_encode(std::string_view text);

// Lower-case hexadecimal.
std::string to_hex(std::string_view bytes);

std::optional<std::string> base64_decode(std::string_view text);
std::string base64_encode(std::string_view bytes);

// The candidate with the smallest edit distance to `name` when it is close enough to be a likely typing error.
std::optional<std::string_view> nearest_name(std::string_view name, const std::vector<std::string_view>& candidates);

}  // namespace base
