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

bool is_token(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

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

std::unexpected<base::Error> malformed(const char* what) {
    return base::fail(base::Code::invalid_argument, what);
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
    if (target.empty() || !is_text(target) || target.find_first_of(" \t") != std::string_view::npos) {
        return malformed("the request target must be percent-encoded, without spaces or control characters");
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
    const bool has_shape = minor_version && rest.starts_with(' ') && status && *status >= 100 &&
                           (end.empty() || end.starts_with(' ')) && is_text(end);
    if (!has_shape) {
        return malformed("an answer begins with HTTP/1.1 STATUS REASON on one line");
    }
    return StatusLine{static_cast<unsigned>(*status), end.substr(std::min<std::size_t>(1, end.size())), *minor_version};
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
    if (!extensions.empty() && !extensions.starts_with(';')) {
        return malformed("only ; and extensions may follow the size of a chunk");
    }
    if (extensions.size() > kMaxExtensionBytes || !is_text(extensions) ||
        std::count(extensions.begin(), extensions.end(), '"') % 2 != 0) {
        return malformed("chunk extensions must be short and on one line");
    }
    return size;
}

}  // namespace http
