// The header fields this gateway acts on, told apart once, when a head is parsed: whatever comes after compares
// numbers.
#pragma once

#include <cstdint>
#include <string_view>

namespace http {

enum class FieldName : std::uint8_t {
    other,
    accept,
    authorization,
    connection,
    content_length,
    content_type,
    expect,
    forwarded,
    host,
    keep_alive,
    origin,
    proxy_authenticate,
    proxy_authorization,
    proxy_connection,
    retry_after,
    te,
    traceparent,
    tracestate,
    trailer,
    transfer_encoding,
    upgrade,
    via,
    x_api_key,
    x_forwarded_for,
    x_forwarded_host,
    x_forwarded_proto,
    x_request_id,
    // One of the above with '_' for '-', which WSGI servers take for the same name.
    lookalike,
    // Families: every other name that begins so, with either dash.
    access_control_any,  // Access-Control-
    x_forwarded_any,     // X-Forwarded-, X-Real-IP
    x_hokusai_any,       // X-Hokusai-
};

// In any case.
FieldName to_field_name(std::string_view name);

}  // namespace http
