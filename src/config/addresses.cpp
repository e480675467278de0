#include "config/addresses.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <optional>

#include "base/strings.hpp"

#include <fmt/format.h>

namespace config {

namespace {

enum class AddressFamily { none, ipv4, ipv6 };

AddressFamily address_family(std::string_view host) {
    if (host.find('\0') != std::string_view::npos) {
        return AddressFamily::none;
    }
    const std::string text(host);
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) {
        return AddressFamily::ipv4;
    }
    if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) {
        return AddressFamily::ipv6;
    }
    return AddressFamily::none;
}

bool is_host_name(std::string_view host) {
    const auto is_allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
               c == '_';
    };
    const bool looks_numeric = host.find_first_not_of("0123456789.") == std::string_view::npos;
    return !host.empty() && host.size() <= 253 && !looks_numeric && std::all_of(host.begin(), host.end(), is_allowed);
}

struct Authority {
    std::string host;
    std::optional<std::uint16_t> port;
};

// host [":" port] of RFC 3986, section 3.2, without user information.
std::optional<Authority> parse_authority(std::string_view text) {
    Authority authority;
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos || address_family(text.substr(1, end - 1)) != AddressFamily::ipv6) {
            return std::nullopt;
        }
        authority.host = text.substr(1, end - 1);
        text.remove_prefix(end + 1);
    } else {
        const std::size_t end = std::min(text.find(':'), text.size());
        authority.host = text.substr(0, end);
        if (address_family(authority.host) != AddressFamily::ipv4 && !is_host_name(authority.host)) {
            return std::nullopt;
        }
        text.remove_prefix(end);
    }
    if (!text.empty()) {
        const auto port = base::parse_uint(text.substr(1));
        if (!text.starts_with(':') || !port || *port > 65535) {
            return std::nullopt;
        }
        authority.port = static_cast<std::uint16_t>(*port);
    }
    return authority;
}

std::string bracketed(const std::string& host) {
    return host.find(':') == std::string::npos ? host : fmt::format("[{}]", host);
}

bool is_visible_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace

base::Result<HostPort> parse_host_port(std::string_view text) {
    const auto authority = parse_authority(text);
    if (!authority || !authority->port) {
        return base::fail(base::Code::invalid_argument,
                          "must be HOST:PORT, such as 127.0.0.1:8000 or [::1]:8000, with a port from 0 to 65535");
    }
    return HostPort{.host = authority->host, .port = *authority->port};
}

std::string to_text(const HostPort& address) {
    return fmt::format("{}:{}", bracketed(address.host), address.port);
}

bool is_loopback(std::string_view host) {
    const AddressFamily family = address_family(host);
    if (family == AddressFamily::ipv4) {
        return host.starts_with("127.");
    }
    if (family == AddressFamily::ipv6) {
        in6_addr address{};
        inet_pton(AF_INET6, std::string(host).c_str(), &address);
        return IN6_IS_ADDR_LOOPBACK(&address);
    }
    return base::iequals(host, "localhost");
}

base::Result<HttpUrl> parse_http_url(std::string_view text) {
    const bool is_tls = base::istarts_with(text, "https://");
    if (!is_tls && !base::istarts_with(text, "http://")) {
        return base::fail(base::Code::invalid_argument, "must be a URL that starts with http:// or https://");
    }
    if (!is_visible_ascii(text)) {
        return base::fail(base::Code::invalid_argument,
                          "must be a URL without spaces, control or non-ASCII characters");
    }
    text.remove_prefix(is_tls ? 8 : 7);
    if (text.find('@') != std::string_view::npos) {
        return base::fail(base::Code::invalid_argument, "must be a URL without credentials");
    }
    if (text.find_first_of("?#") != std::string_view::npos) {
        return base::fail(base::Code::invalid_argument, "must be a URL without query and fragment");
    }
    const std::size_t path_start = std::min(text.find('/'), text.size());
    const auto authority = parse_authority(text.substr(0, path_start));
    if (!authority || authority->port == 0) {
        return base::fail(base::Code::invalid_argument,
                          "must be a URL with a host and, where it is not the scheme's own, a port from 1 to 65535");
    }
    std::string_view path = text.substr(path_start);
    while (path.ends_with('/')) {
        path.remove_suffix(1);
    }
    return HttpUrl{.is_tls = is_tls,
                   .host = base::to_lower(authority->host),
                   .port = authority->port.value_or(is_tls ? 443 : 80),
                   .base_path = std::string(path)};
}

std::string to_text(const HttpUrl& url) {
    const bool is_default_port = url.port == (url.is_tls ? 443 : 80);
    return fmt::format("{}://{}{}{}",
                       url.is_tls ? "https" : "http",
                       bracketed(url.host),
                       is_default_port ? "" : fmt::format(":{}", url.port),
                       url.base_path);
}

base::Result<std::string> parse_network(std::string_view text) {
    const std::size_t slash = text.find('/');
    const AddressFamily family = address_family(text.substr(0, slash));
    const bool has_good_prefix = [&] {
        if (slash == std::string_view::npos) {
            return true;
        }
        const auto bits = base::parse_uint(text.substr(slash + 1));
        return bits && *bits <= (family == AddressFamily::ipv4 ? 32U : 128U);
    }();
    if (family == AddressFamily::none || !has_good_prefix) {
        return base::fail(base::Code::invalid_argument,
                          "must be addresses or networks in CIDR notation, such as 10.0.0.0/8 or fd00::/8");
    }
    return std::string(text);
}

base::Result<std::string> parse_ip_address(std::string_view text) {
    if (address_family(text) == AddressFamily::none) {
        return base::fail(base::Code::invalid_argument, "must be IP addresses, such as 10.0.0.7");
    }
    return std::string(text);
}

}  // namespace config
