// W3C Trace Context (https://www.w3.org/TR/trace-context/), the version-00 traceparent header.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "base/random.hpp"

namespace telemetry {

// Lower-case hexadecimal digits, not all zero.
template <std::size_t N>
class HexId {
public:
    HexId() {
        digits_.fill('0');
    }

    // `text` has N digits.
    explicit HexId(std::string_view text) {
        text.copy(digits_.data(), N);
    }

    explicit HexId(base::Random& random);

    operator std::string_view() const {  // NOLINT(google-explicit-constructor): it is a text
        return {digits_.data(), N};
    }

private:
    std::array<char, N> digits_;
};

struct TraceContext {
    HexId<32> trace_id;
    HexId<16> parent_id;
    bool is_sampled = false;
};

// The value of the header.
using Traceparent = std::array<char, 55>;

// Nothing when the header is malformed; the caller then starts a trace of its own.
std::optional<TraceContext> parse_traceparent(std::string_view header);

// A new span of `parent`, or of a new trace.
TraceContext next_span(const std::optional<TraceContext>& parent, base::Random& random);

Traceparent to_traceparent(const TraceContext& context);

}  // namespace telemetry
