// The kinds of text a setting may hold, read and written the same way in flags, environment variables and files.
//
// A failed parse says what is allowed ("must be a whole number from 0 to 9") and never repeats the text: it may be a
// secret.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace config {

// true, yes, on, 1 and false, no, off, 0 in any case.
base::Result<bool> parse_bool(std::string_view text);

base::Result<std::uint64_t> parse_number(std::string_view text, std::uint64_t min, std::uint64_t max);

// "250ms", "30s", "5m", "12h", "90d", at most three decimals; a plain number is seconds.
base::Result<base::Duration> parse_duration(std::string_view text, base::Duration min, base::Duration max);
std::string to_text(base::Duration duration);

// "512B", "64KiB", "1MiB", "2GiB"; a plain number is bytes.
base::Result<std::uint64_t> parse_byte_size(std::string_view text, std::uint64_t min, std::uint64_t max);
std::string byte_size_text(std::uint64_t bytes);

// A comma list (empty parts left out) or a JSON array of strings without escapes.
base::Result<std::vector<std::string>> parse_list(std::string_view text);

// `text` fit for a message: credentials and query of a URL are replaced. Rather hides too much than too little.
std::string redact(std::string_view text);

}  // namespace config
