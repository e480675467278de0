// Network addresses as people write them. Nothing is looked up. Errors as in values.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace config {

struct HostPort {
    std::string host;  // a name or an address, IPv6 without brackets
    std::uint16_t port = 0;
};

// "127.0.0.1:8000", "[::1]:8000", "localhost:0".
base::Result<HostPort> parse_host_port(std::string_view text);
std::string to_text(const HostPort& address);

// Whether `host` can only be reached from this machine: localhost, 127.0.0.0/8 or ::1.
bool is_loopback(std::string_view host);

// Where a service we call lives.
struct HttpUrl {
    bool is_tls = false;
    std::string host;  // as in HostPort, lower case
    std::uint16_t port = 80;
    std::string base_path;  // starts with '/' and does not end with it; empty at the root
};

// http:// or https:// with host, optional port and path; no credentials, query or fragment.
base::Result<HttpUrl> parse_http_url(std::string_view text);

// Without the port where it is the scheme's own.
std::string to_text(const HttpUrl& url);

// An address, or a network in CIDR notation: "10.0.0.0/8", "fd00::/8", "192.0.2.1". Returned as given.
base::Result<std::string> parse_network(std::string_view text);
base::Result<std::string> parse_ip_address(std::string_view text);

}  // namespace config
