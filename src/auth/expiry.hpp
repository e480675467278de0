// When does a key end? The forms people type.
#pragma once

#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace auth {

// "90d" (units s, m, h, d, w; at most 10 years), "2026-01-31" (the start of that day, UTC) or "2026-01-31T12:00:00Z".
// invalid_argument unless it lies in the future.
base::Result<base::WallTime> parse_expiry(std::string_view text, base::WallTime now);

}  // namespace auth
