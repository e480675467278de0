#include "http/framing.hpp"

#include <algorithm>
#include <limits>

#include "base/strings.hpp"
#include "http/grammar.hpp"

namespace http {

namespace {

constexpr std::size_t kMaxConnectionNames = 32;
// Who keeps lengths in signed integers takes more for negative ones.
constexpr std::uint64_t kMaxLength = std::numeric_limits<std::int64_t>::max();

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

bool is_address_character(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
}

// NAME, NAME:PORT or the same with an IPv6 address in brackets; percent-encoding and the rest of RFC 3986, section
// 3.2.2, serve nobody but those who want two parsers to disagree.
bool is_host(std::string_view text) {
    const bool is_bracketed = text.starts_with('[');
    const auto begin = text.begin() + (is_bracketed ? 1 : 0);
    auto end = std::find_if_not(begin, text.end(), is_bracketed ? is_address_character : is_host_character);
    if (is_bracketed) {
        if (end == begin || end == text.end() || *end != ']') {
            return false;
        }
        ++end;
    }
    const std::string_view port(end, text.end());
    return port.empty() || (port.front() == ':' &&
                            std::all_of(port.begin() + 1, port.end(), [](char c) { return c >= '0' && c <= '9'; }));
}

base::Result<std::optional<std::uint64_t>> content_length(const Fields& fields, bool may_repeat) {
    std::optional<std::uint64_t> length;
    if (!fields.has(FieldName::content_length)) {
        return length;
    }
    for (const Field& field : fields) {
        if (field.known != FieldName::content_length) {
            continue;
        }
        const auto value = base::parse_uint(field.value);
        if (!value || *value > kMaxLength) {
            return base::fail(base::Code::invalid_argument, "Content-Length must be decimal digits, below 2^63");
        }
        if (length && (!may_repeat || *length != *value)) {
            return base::fail(base::Code::invalid_argument, "Content-Length must appear once");
        }
        length = value;
    }
    return length;
}

// Whether the message is chunked.
base::Result<bool> transfer_encoding(const Fields& fields, unsigned minor_version) {
    const std::size_t count = fields.count(FieldName::transfer_encoding);
    if (count == 0) {
        return false;
    }
    if (count > 1 || !base::iequals(*fields.find(FieldName::transfer_encoding), "chunked")) {
        return base::fail(base::Code::invalid_argument, "Transfer-Encoding must be exactly \"chunked\"");
    }
    if (minor_version == 0) {
        return base::fail(base::Code::invalid_argument, "Transfer-Encoding is not allowed on HTTP/1.0");
    }
    return true;
}

base::Result<void> validate_host(const RequestHead& head) {
    const std::size_t count = head.fields.count(FieldName::host);
    if (count > 1 || (count == 0 && head.minor_version > 0)) {
        return base::fail(base::Code::invalid_argument, "a request needs exactly one Host field");
    }
    const std::string_view host = head.fields.find(FieldName::host).value_or("");
    if (!is_host(host)) {
        return base::fail(base::Code::invalid_argument, "the Host field must be NAME or NAME:PORT");
    }
    return {};
}

// Splits the target, and takes an absolute one (RFC 9112, section 3.2.2) only when it names the host that Host names.
base::Result<void> split_target(RequestHead& head) {
    std::string_view target = head.target;
    const bool is_absolute = base::istarts_with(target, "http://") || base::istarts_with(target, "https://");
    if (is_absolute) {
        const std::size_t authority_start = target.find("//") + 2;
        const std::size_t authority_end = std::min(target.find_first_of("/?", authority_start), target.size());
        const std::string_view authority = target.substr(authority_start, authority_end - authority_start);
        if (authority.empty() || !is_host(authority)) {
            return base::fail(base::Code::invalid_argument, "the request target must name a host, without a user");
        }
        if (!base::iequals(authority, head.fields.find(FieldName::host).value_or(authority))) {
            return base::fail(base::Code::invalid_argument, "the request target and Host name different hosts");
        }
        target.remove_prefix(authority_end);
    }
    const bool is_asterisk = target == "*" && head.method == Method::options;
    const bool is_root = is_absolute && (target.empty() || target.starts_with('?'));
    if (!is_asterisk && !is_root && !target.starts_with('/')) {
        return base::fail(base::Code::invalid_argument, "the request target must be a path that starts with /");
    }
    if (target.find_first_of("#\\") != std::string_view::npos) {
        return base::fail(base::Code::invalid_argument,
                          "the request target holds a character that must be percent-encoded");
    }
    head.target = target;
    const std::size_t question = target.find('?');
    head.path = is_root ? std::string_view("/") : target.substr(0, question);
    head.query = question == std::string_view::npos ? std::string_view() : target.substr(question + 1);
    return {};
}

// Each name listed there is looked for among all fields, so a long list would cost its square.
base::Result<void> validate_connection(const Fields& fields) {
    if (!fields.has(FieldName::connection)) {
        return {};
    }
    std::size_t names = 0;
    for (const Field& field : fields) {
        std::string_view list = field.known == FieldName::connection ? field.value : std::string_view();
        while (const auto name = base::next_part(list, ',')) {
            if (!is_token(*name)) {
                return base::fail(base::Code::invalid_argument, "the Connection field is not a list of names");
            }
            ++names;
        }
    }
    if (names > kMaxConnectionNames) {
        return base::fail(base::Code::invalid_argument, "the Connection field names too many fields");
    }
    return {};
}

bool is_keep_alive(const Fields& fields, unsigned minor_version) {
    if (fields.lists(FieldName::connection, "close")) {
        return false;
    }
    return minor_version > 0 || fields.lists(FieldName::connection, "keep-alive");
}

}  // namespace

base::Result<void> validate_framing(RequestHead& head) {
    if (base::Result<void> connection = validate_connection(head.fields); !connection) {
        return connection;
    }
    const base::Result<bool> is_chunked = transfer_encoding(head.fields, head.minor_version);
    if (!is_chunked) {
        return std::unexpected(is_chunked.error());
    }
    const auto length = content_length(head.fields, false);
    if (!length) {
        return std::unexpected(length.error());
    }
    if (*is_chunked && *length) {
        return base::fail(base::Code::invalid_argument, "a request has either Transfer-Encoding or Content-Length");
    }
    if (*is_chunked) {
        head.framing = {Framing::Kind::chunked, 0};
    } else if (*length && **length > 0) {
        head.framing = {Framing::Kind::length, **length};
    } else {
        head.framing = {};
    }
    head.is_keep_alive = is_keep_alive(head.fields, head.minor_version);
    const base::Result<void> host = validate_host(head);
    return host ? split_target(head) : host;
}

base::Result<void> validate_framing(ResponseHead& head, Method method) {
    if (base::Result<void> connection = validate_connection(head.fields); !connection) {
        return connection;
    }
    const base::Result<bool> is_chunked = transfer_encoding(head.fields, head.minor_version);
    if (!is_chunked) {
        return std::unexpected(is_chunked.error());
    }
    const auto length = content_length(head.fields, true);
    if (!length) {
        return std::unexpected(length.error());
    }
    if (*is_chunked && *length) {
        return base::fail(base::Code::invalid_argument, "the answer has both Transfer-Encoding and Content-Length");
    }
    head.is_keep_alive = is_keep_alive(head.fields, head.minor_version);
    const bool has_no_body = method == Method::head || head.status < 200 || head.status == 204 || head.status == 304;
    if (has_no_body) {
        head.framing = {};
    } else if (*is_chunked) {
        head.framing = {Framing::Kind::chunked, 0};
    } else if (*length) {
        head.framing = {**length > 0 ? Framing::Kind::length : Framing::Kind::none, **length};
    } else {
        head.framing = {Framing::Kind::until_close, 0};
        head.is_keep_alive = false;
    }
    return {};
}

}  // namespace http
