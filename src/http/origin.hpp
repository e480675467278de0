// Cross-origin rules: which pages in a browser may call us.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"

namespace http {

enum class OriginVerdict { same, listed, foreign };

// `host` is the request's Host field. `listed` comes from CORS_ORIGINS; "*" lists all. "null" is always foreign.
OriginVerdict judge_origin(std::string_view origin, std::string_view host, const std::vector<std::string>& listed);

// The answer to a CORS preflight (Fetch standard, section 3.2).
Response preflight_response(std::string_view origin, OriginVerdict verdict);

}  // namespace http
