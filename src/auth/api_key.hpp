// The text of an API key: `hk_live_`, `hk_test_` or `hk_dev_` and 40 random characters [A-Za-z0-9] (238 bits).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret.hpp"

namespace auth {

enum class Environment { production, test, development };

// "production" or "live", "test", "development" or "dev".
std::optional<Environment> parse_environment(std::string_view text);

inline constexpr std::size_t kKeyRandomLength = 40;

// What a key looks like, for messages.
inline constexpr std::string_view kKeyFormat =
    "hk_live_, hk_test_ or hk_dev_ followed by 40 characters of A-Z, a-z and 0-9";

base::Secret generate_key(Environment environment);

// Whether `text` has the format of a key; says nothing about whether it is one.
bool looks_like_key(std::string_view text);

// What may be shown of a key: its prefix and the first 3 random characters, "hk_live_abc". `key` must look like one.
std::string display_prefix(std::string_view key);

}  // namespace auth
