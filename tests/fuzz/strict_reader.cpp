#include "strict_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace fuzz {

namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kHexDigits = "0123456789abcdefABCDEF";
constexpr std::string_view kTokenCharacters =
    "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

// Without its CRLF. Neither of the two may appear alone.
std::optional<std::string_view> take_line(std::string_view& stream) {
    const std::size_t end = stream.find("\r\n");
    const std::string_view line = stream.substr(0, end);
    if (end == std::string_view::npos || line.find_first_of("\r\n") != std::string_view::npos) {
        return std::nullopt;
    }
    stream.remove_prefix(end + 2);
    return line;
}

bool is_text(std::string_view line) {
    return std::ranges::all_of(line, [](unsigned char c) { return c == '\t' || (c >= ' ' && c != 0x7f); });
}

std::optional<std::uint64_t> to_number(std::string_view text, std::string_view digits) {
    std::uint64_t number = 0;
    const int base = digits.size() == kDigits.size() ? 10 : 16;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number, base);
    const bool is_number = !text.empty() && text.find_first_not_of(digits) == std::string_view::npos;
    return is_number && result.ec == std::errc{} ? std::optional(number) : std::nullopt;
}

std::string to_lower(std::string_view text) {
    std::string lower(text);
    std::ranges::transform(
        lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
    return lower;
}

std::optional<StrictField> to_field(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == 0 || colon == std::string_view::npos || line.find_first_not_of(kTokenCharacters) != colon) {
        return std::nullopt;
    }
    StrictField field{to_lower(line.substr(0, colon)), {}};
    const std::size_t first = line.find_first_not_of(" \t", colon + 1);
    if (first != std::string_view::npos) {
        field.value = line.substr(first, line.find_last_not_of(" \t") - first + 1);
    }
    return field;
}

// Up to and with the blank line.
std::optional<std::vector<StrictField>> take_fields(std::string_view& stream) {
    std::vector<StrictField> fields;
    for (;;) {
        const auto line = take_line(stream);
        if (!line || line->empty()) {
            return line ? std::optional(fields) : std::nullopt;
        }
        const auto field = is_text(*line) ? to_field(*line) : std::nullopt;
        if (!field) {
            return std::nullopt;
        }
        fields.push_back(*field);
    }
}

// METHOD SP TARGET SP HTTP/1.x, or HTTP/1.x SP STATUS SP REASON.
bool is_start_line(std::string_view line, StrictKind kind) {
    if (kind != StrictKind::request) {
        const std::string_view status = line.substr(std::min<std::size_t>(9, line.size()), 3);
        return (line.starts_with("HTTP/1.1 ") || line.starts_with("HTTP/1.0 ")) && status.size() == 3 &&
               to_number(status, kDigits) && line.size() > 12 && line[12] == ' ';
    }
    const std::size_t first = line.find(' ');
    const std::size_t second = line.find(' ', first + 1);
    const std::string_view version = second == std::string_view::npos ? std::string_view() : line.substr(second + 1);
    return first > 0 && line.find_first_not_of(kTokenCharacters) == first && second > first + 1 &&
           line.find('\t') == std::string_view::npos && (version == "HTTP/1.1" || version == "HTTP/1.0");
}

// Extensions may hold anything that is no end of a line.
std::optional<std::string> take_chunks(std::string_view& stream) {
    std::string body;
    for (;;) {
        const auto line = take_line(stream);
        const std::string_view digits = line.value_or("").substr(0, line.value_or("").find_first_of("; \t"));
        const auto size = to_number(digits, kHexDigits);
        if (!size || (*size > 0 && (*size > stream.size() || !stream.substr(*size).starts_with("\r\n")))) {
            return std::nullopt;
        }
        if (*size == 0) {
            return take_fields(stream) ? std::optional(body) : std::nullopt;
        }
        body += stream.substr(0, *size);
        stream.remove_prefix(*size + 2);
    }
}

}  // namespace

std::optional<StrictMessage> read_strictly(std::string_view& stream, StrictKind kind) {
    StrictMessage message;
    const auto start_line = take_line(stream);
    auto fields =
        start_line && is_text(*start_line) && is_start_line(*start_line, kind) ? take_fields(stream) : std::nullopt;
    if (!fields) {
        return std::nullopt;
    }
    message.start_line = *start_line;
    message.fields = std::move(*fields);
    std::optional<std::string> length;
    std::optional<std::string> coding;
    for (const StrictField& field : message.fields) {
        auto& place = field.name == "content-length" ? length : coding;
        if (field.name != "content-length" && field.name != "transfer-encoding") {
            continue;
        }
        if (length || coding) {
            return std::nullopt;
        }
        place = field.value;
    }
    const auto size = length ? to_number(*length, kDigits) : std::optional<std::uint64_t>(0);
    if (!size || (coding && to_lower(*coding) != "chunked")) {
        return std::nullopt;
    }
    if (kind == StrictKind::answer_without_body) {
        return message;
    }
    if (coding) {
        auto body = take_chunks(stream);
        if (!body) {
            return std::nullopt;
        }
        message.body = std::move(*body);
        return message;
    }
    message.lasts_until_close = kind == StrictKind::answer && !length;
    const std::uint64_t taken = message.lasts_until_close ? stream.size() : *size;
    if (taken > stream.size()) {
        return std::nullopt;
    }
    message.body = stream.substr(0, taken);
    stream.remove_prefix(taken);
    return message;
}

}  // namespace fuzz
