// W3C Trace Context (https://www.w3.org/TR/trace-context/), the version-00 traceparent header.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/random.hpp"

namespace telemetry {

struct TraceContext {
    std::string trace_id;   // 32 lower-case hexadecimal digits, not all zero
    std::string parent_id;  // 16, not all zero
    bool is_sampled = false;
};

// Nothing when the header is malformed; the caller then starts a trace of its own.
std::optional<TraceContext> parse_traceparent(std::string_view header);

// A new span of `parent`, or of a new trace.
TraceContext next_span(const std::optional<TraceContext>& parent, base::Random& random);

std::string to_traceparent(const TraceContext& context);

}  // namespace telemetry
