// The lines of HTTP/1.1 (RFC 9112), read strictly: whatever another parser could read differently is an error. Lines
// come without their CRLF, views point into them, and errors are invalid_argument.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.hpp"
#include "http/message.hpp"

namespace http {

// RFC 9110, section 5.6.2.
bool is_token_character(char c);
bool is_token(std::string_view text);

struct RequestLine {
    std::string_view method;
    std::string_view target;
    unsigned minor_version;
};

// One space between the parts, the target in visible ASCII; the version is HTTP/1.0 or HTTP/1.1.
base::Result<RequestLine> parse_request_line(std::string_view line);

struct StatusLine {
    unsigned status;  // 100 to 999
    std::string_view reason;
    unsigned minor_version;
};

// The reason may be empty, the space before it may not be missing.
base::Result<StatusLine> parse_status_line(std::string_view line);

// No space before the colon, no control character but the tab in the value, no continuation of an earlier line.
base::Result<Field> parse_field_line(std::string_view line);

// The size of a chunk. Extensions are skipped, at most 256 bytes of them.
base::Result<std::uint64_t> parse_chunk_line(std::string_view line);

}  // namespace http
