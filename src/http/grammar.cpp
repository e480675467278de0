#include "http/grammar.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/strings.hpp"

namespace http {

namespace {

constexpr std::size_t kMaxExtensionBytes = 256;

constexpr std::array<bool, 256> kTokenCharacters = [] {
    std::array<bool, 256> table{};
    for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789"
                                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
        table[static_cast<unsigned char>(c)] = true;
    }
    return table;
}();

// What may stand in a value: no control character but the tab.
constexpr std::array<bool, 256> kTextCharacters = [] {
    std::array<bool, 256> table{};
    for (std::size_t byte = 0; byte < table.size(); ++byte) {
        table[byte] = (byte >= 0x20 && byte != 0x7F) || byte == '\t';
    }
    return table;
}();

bool is_text(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return kTextCharacters[static_cast<unsigned char>(c)]; });
}

bool is_visible(char c) {
    return c > ' ' && c < '\x7F';
}

std::unexpected<base::Error> malformed(const char* what) {
    return base::fail(base::Code::invalid_argument, what);
}

void skip_spaces(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
}

bool skip_token(std::string_view& text) {
    const auto end = std::find_if_not(text.begin(), text.end(), is_token_character);
    const bool is_there = end != text.begin();
    text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
    return is_there;
}

bool skip_quoted(std::string_view& text) {
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
        } else if (text[i] == '"') {
            text.remove_prefix(i + 1);
            return true;
        }
    }
    return false;
}

// RFC 9112, section 7.1.1.
bool are_extensions(std::string_view rest) {
    bool is_good = is_text(rest);
    while (is_good && !rest.empty()) {
        skip_spaces(rest);
        is_good = rest.starts_with(';');
        rest.remove_prefix(is_good ? 1 : 0);
        skip_spaces(rest);
        is_good = is_good && skip_token(rest);
        std::string_view value = rest;
        skip_spaces(value);
        if (is_good && value.starts_with('=')) {
            value.remove_prefix(1);
            skip_spaces(value);
            is_good = value.starts_with('"') ? skip_quoted(value) : skip_token(value);
            rest = value;
        }
    }
    return is_good;
}

// 0 or 1; nothing for other versions.
std::optional<unsigned> parse_version(std::string_view text) {
    if (text == "HTTP/1.1") {
        return 1;
    }
    return text == "HTTP/1.0" ? std::optional(0U) : std::nullopt;
}

}  // namespace

bool is_token_character(char c) {
    return kTokenCharacters[static_cast<unsigned char>(c)];
}

bool is_token(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

base::Result<RequestLine> parse_request_line(std::string_view line) {
    const std::size_t first_space = line.find(' ');
    const std::size_t last_space = line.rfind(' ');
    if (first_space == std::string_view::npos || first_space == last_space) {
        return malformed("a request begins with METHOD TARGET HTTP/1.1 on one line");
    }
    const std::string_view method = line.substr(0, first_space);
    const std::string_view target = line.substr(first_space + 1, last_space - first_space - 1);
    const auto minor_version = parse_version(line.substr(last_space + 1));
    if (!minor_version) {
        return malformed("only HTTP/1.1 and HTTP/1.0 are spoken here");
    }
    if (!is_token(method)) {
        return malformed("the request method holds a character that no method has");
    }
    if (target.empty() || !std::all_of(target.begin(), target.end(), is_visible)) {
        return malformed("the request target must be percent-encoded: no spaces, no control characters, only ASCII");
    }
    return RequestLine{method, target, *minor_version};
}

base::Result<StatusLine> parse_status_line(std::string_view line) {
    constexpr std::size_t kVersion = 8;
    constexpr std::size_t kStatus = 3;
    const auto minor_version = parse_version(line.substr(0, kVersion));
    const std::string_view rest = line.substr(std::min(kVersion, line.size()));
    const auto status = base::parse_uint(rest.substr(std::min<std::size_t>(1, rest.size()), kStatus));
    const std::string_view end = rest.substr(std::min(kStatus + 1, rest.size()));
    const bool has_shape =
        minor_version && rest.starts_with(' ') && status && *status >= 100 && end.starts_with(' ') && is_text(end);
    if (!has_shape) {
        return malformed("an answer begins with HTTP/1.1 STATUS REASON on one line");
    }
    return StatusLine{static_cast<unsigned>(*status), end.substr(1), *minor_version};
}

base::Result<Field> parse_field_line(std::string_view line) {
    if (line.starts_with(' ') || line.starts_with('\t')) {
        // RFC 9112, section 5.2, lets a server refuse it.
        return malformed("a field value must not continue on the next line");
    }
    const auto name_end = std::find_if_not(line.begin(), line.end(), is_token_character);
    const auto colon = static_cast<std::size_t>(name_end - line.begin());
    if (colon == 0 || name_end == line.end() || *name_end != ':') {
        return malformed("a field must be NAME: VALUE, with nothing but letters, digits and dashes in its name");
    }
    const std::string_view value = base::trim(line.substr(colon + 1));
    if (!is_text(value)) {
        return malformed("a field value holds a control character");
    }
    return Field{line.substr(0, colon), value};
}

base::Result<std::uint64_t> parse_chunk_line(std::string_view line) {
    std::uint64_t size = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), size, 16);
    if (error != std::errc{}) {
        return malformed("a chunk begins with its size in hexadecimal digits");
    }
    const std::string_view extensions = line.substr(static_cast<std::size_t>(end - line.data()));
    if (extensions.size() > kMaxExtensionBytes || !are_extensions(extensions)) {
        return malformed("chunk extensions must be short, on one line, and ;NAME or ;NAME=VALUE");
    }
    return size;
}

}  // namespace http
