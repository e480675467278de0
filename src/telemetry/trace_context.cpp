#include "telemetry/trace_context.hpp"

#include <algorithm>

#include "base/strings.hpp"

namespace telemetry {

namespace {

bool is_lower_hex(std::string_view text) {
    return std::all_of(
        text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_id(std::string_view text, std::size_t length) {
    return text.size() == length && is_lower_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view header) {
    // version "-" trace-id "-" parent-id "-" flags; later versions may append more after another dash.
    if (header.size() < 55 || header[2] != '-' || header[35] != '-' || header[52] != '-') {
        return std::nullopt;
    }
    const std::string_view version = header.substr(0, 2);
    const std::string_view flags = header.substr(53, 2);
    const bool has_valid_length = version == "00" ? header.size() == 55 : header.size() == 55 || header[55] == '-';
    if (!is_lower_hex(version) || version == "ff" || !is_lower_hex(flags) || !has_valid_length) {
        return std::nullopt;
    }
    const std::string_view trace_id = header.substr(3, 32);
    const std::string_view parent_id = header.substr(36, 16);
    if (!is_id(trace_id, 32) || !is_id(parent_id, 16)) {
        return std::nullopt;
    }
    const bool is_sampled = std::string_view("13579bdf").find(flags[1]) != std::string_view::npos;
    return TraceContext{HexId<32>(trace_id), HexId<16>(parent_id), is_sampled};
}

template <std::size_t N>
HexId<N>::HexId(base::Random& random) {
    for (std::size_t done = 0; done < N; done += 16) {
        base::write_hex(std::span(digits_).subspan(done, 16), random.next() | 1U);
    }
}

TraceContext next_span(const std::optional<TraceContext>& parent, base::Random& random) {
    TraceContext span = parent ? *parent : TraceContext{HexId<32>(random), {}, false};
    span.parent_id = HexId<16>(random);
    return span;
}

Traceparent to_traceparent(const TraceContext& context) {
    Traceparent text;
    auto end = std::ranges::copy(std::string_view("00-"), text.begin()).out;
    end = std::ranges::copy(std::string_view(context.trace_id), end).out;
    *end++ = '-';
    end = std::ranges::copy(std::string_view(context.parent_id), end).out;
    std::ranges::copy(std::string_view(context.is_sampled ? "-01" : "-00"), end);
    return text;
}

}  // namespace telemetry
