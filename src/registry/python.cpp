#include "registry/python.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "registry/utf8.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

namespace registry::python {

namespace {

namespace json = boost::json;

void append_utf16_escape(std::string& out, char32_t point) {
    if (point >= 0x10000U) {
        const char32_t offset = point - 0x10000U;
        append_utf16_escape(out, 0xD800U + (offset >> 10U));
        append_utf16_escape(out, 0xDC00U + (offset & 0x3FFU));
        return;
    }
    out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(point));
}

// The escape of one letter, or nothing.
std::string_view short_escape(char32_t point, char quote) {
    switch (point) {
        case U'\\':
            return "\\\\";
        case U'\n':
            return "\\n";
        case U'\r':
            return "\\r";
        case U'\t':
            return "\\t";
        case U'\'':
            return quote == '\'' ? "\\'" : "";
        case U'"':
            return quote == '"' ? "\\\"" : "";
        default:
            return "";
    }
}

// Python escapes what is not printable; beyond Latin-1 that is rare, and these are the ones that hide in text.
bool is_printable(char32_t point) {
    return (point >= 0x20U && point < 0x7FU) || (point > 0xA0U && point != 0xADU && !is_space(point) &&
                                                 !(point >= 0x200BU && point <= 0x200FU) && point != 0xFEFFU);
}

std::string quoted(std::string_view text, char quote, bool is_bytes) {
    std::string out(1, quote);
    while (!text.empty()) {
        char32_t point = 0;
        const std::string_view before = text;
        if (is_bytes) {
            point = static_cast<unsigned char>(text.front());
            text.remove_prefix(1);
        } else {
            point = next_code_point(text);
        }
        if (const std::string_view escape = short_escape(point, quote); !escape.empty()) {
            out += escape;
        } else if (is_bytes ? (point >= 0x20U && point < 0x7FU) : is_printable(point)) {
            out += before.substr(0, before.size() - text.size());
        } else if (point < 0x100U) {
            out += fmt::format("\\x{:02x}", static_cast<std::uint32_t>(point));
        } else {
            out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(point));
        }
    }
    out.push_back(quote);
    return out;
}

char quote_for(std::string_view text) {
    return text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos ? '"' : '\'';
}

// The shortest digits that read back as the same number, as Python's repr writes them.
std::string float_repr(double number) {
    if (std::isnan(number)) {
        return "nan";
    }
    if (std::isinf(number)) {
        return number < 0 ? "-inf" : "inf";
    }
    std::array<char, 32> buffer{};
    const double magnitude = std::abs(number);
    const bool is_scientific = magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e16);
    const auto [end, error] = std::to_chars(buffer.data(),
                                            buffer.data() + buffer.size(),
                                            number,
                                            is_scientific ? std::chars_format::scientific : std::chars_format::fixed);
    std::string text(buffer.data(), end);
    if (!is_scientific && text.find('.') == std::string::npos) {
        text += ".0";
    }
    return text;
}

std::string number_text(const json::value& value) {
    if (value.is_int64()) {
        return std::to_string(value.get_int64());
    }
    return value.is_uint64() ? std::to_string(value.get_uint64()) : float_repr(value.get_double());
}

template <class Items, class Append>
void append_joined(std::string& out, const Items& items, std::string_view separator, Append append) {
    bool is_first = true;
    for (const auto& item : items) {
        if (!is_first) {
            out += separator;
        }
        is_first = false;
        append(item);
    }
}

void append_compact(std::string& out, const json::value& value) {
    switch (value.kind()) {
        case json::kind::null:
            out += "null";
            return;
        case json::kind::bool_:
            out += value.get_bool() ? "true" : "false";
            return;
        case json::kind::string:
            append_json(out, value.get_string());
            return;
        case json::kind::array:
            out.push_back('[');
            append_joined(out, value.get_array(), ",", [&](const json::value& item) { append_compact(out, item); });
            out.push_back(']');
            return;
        case json::kind::object: {
            std::vector<const json::key_value_pair*> members;
            for (const auto& member : value.get_object()) {
                members.push_back(&member);
            }
            std::ranges::sort(members, {}, [](const auto* member) { return std::string_view(member->key()); });
            out.push_back('{');
            append_joined(out, members, ",", [&](const auto* member) {
                append_json(out, std::string_view(member->key()));
                out.push_back(':');
                append_compact(out, member->value());
            });
            out.push_back('}');
            return;
        }
        default:
            out += number_text(value);
    }
}

}  // namespace

void append_json(std::string& out, std::string_view text) {
    out.push_back('"');
    while (!text.empty()) {
        const char32_t point = next_code_point(text);
        if (point == U'\b') {
            out += "\\b";
        } else if (point == U'\f') {
            out += "\\f";
        } else if (const std::string_view escape = short_escape(point, '"'); !escape.empty()) {
            out += escape;
        } else if (point >= 0x20U && point < 0x7FU) {
            out.push_back(static_cast<char>(point));
        } else {
            append_utf16_escape(out, point);
        }
    }
    out.push_back('"');
}

void append_json(std::string& out, double number) {
    out += float_repr(number);
}

std::string json_dumps(const json::value& value) {
    std::string out;
    append_compact(out, value);
    return out;
}

std::string repr(std::string_view text) {
    return quoted(text, quote_for(text), false);
}

std::string bytes_repr(std::string_view bytes) {
    return "b" + quoted(bytes, quote_for(bytes), true);
}

std::string repr(const json::value& value) {
    std::string out;
    switch (value.kind()) {
        case json::kind::null:
            return "None";
        case json::kind::bool_:
            return value.get_bool() ? "True" : "False";
        case json::kind::string:
            return repr(std::string_view(value.get_string()));
        case json::kind::array:
            out = "[";
            append_joined(out, value.get_array(), ", ", [&](const json::value& item) { out += repr(item); });
            return out + "]";
        case json::kind::object:
            out = "{";
            append_joined(out, value.get_object(), ", ", [&](const json::key_value_pair& member) {
                out += repr(std::string_view(member.key())) + ": " + repr(member.value());
            });
            return out + "}";
        default:
            return number_text(value);
    }
}

std::string_view type_name(const json::value& value) {
    switch (value.kind()) {
        case json::kind::null:
            return "NoneType";
        case json::kind::bool_:
            return "bool";
        case json::kind::string:
            return "str";
        case json::kind::array:
            return "list";
        case json::kind::object:
            return "dict";
        case json::kind::double_:
            return "float";
        default:
            return "int";
    }
}

std::optional<std::int64_t> parse_int(std::string_view text) {
    const auto is_ascii_space = [](char c) { return is_space(static_cast<unsigned char>(c)) && (c & 0x80) == 0; };
    while (!text.empty() && is_ascii_space(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_ascii_space(text.back())) {
        text.remove_suffix(1);
    }
    std::string digits;
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
        digits = text.front() == '-' ? "-" : "";
        text.remove_prefix(1);
    }
    bool was_digit = false;
    for (const char c : text) {
        const bool is_digit = c >= '0' && c <= '9';
        if (!is_digit && !(c == '_' && was_digit)) {
            return std::nullopt;
        }
        if (is_digit) {
            digits.push_back(c);
        }
        was_digit = is_digit;
    }
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (!was_digit || error != std::errc() || end != digits.data() + digits.size()) {
        return std::nullopt;
    }
    return number;
}

double parse_float(std::string_view text) {
    return std::strtod(std::string(text).c_str(), nullptr);
}

}  // namespace registry::python
