// Where the next page of a search begins: base64 of {"offset": n}.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace registry {

std::string make_page_token(std::int64_t offset);

// 0 for the empty token.
base::Result<std::int64_t> parse_page_token(std::string_view token);

}  // namespace registry
