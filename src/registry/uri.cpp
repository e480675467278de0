#include "registry/uri.hpp"

#include <algorithm>

#include "base/strings.hpp"

namespace registry {

namespace {

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_of_scheme(char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
}

}  // namespace

Uri parse_uri(std::string_view text, Fragment fragment) {
    const std::size_t start =
        static_cast<std::size_t>(std::ranges::find_if(text, [](unsigned char c) { return c > ' '; }) - text.begin());
    std::string kept(text.substr(start));
    std::erase_if(kept, [](char c) { return c == '\t' || c == '\r' || c == '\n'; });

    Uri uri;
    std::string_view rest = kept;
    if (const std::size_t colon = rest.find(':'); colon != std::string_view::npos && colon > 0 &&
                                                  is_letter(rest.front()) &&
                                                  std::ranges::all_of(rest.substr(0, colon), is_of_scheme)) {
        uri.scheme = base::to_lower(rest.substr(0, colon));
        rest.remove_prefix(colon + 1);
    }
    if (rest.starts_with("//")) {
        rest.remove_prefix(2);
        uri.authority = rest.substr(0, rest.find_first_of("/?#"));
        rest.remove_prefix(uri.authority.size());
    }
    if (fragment == Fragment::cut) {
        rest = rest.substr(0, rest.find('#'));
    }
    uri.path = rest.substr(0, rest.find('?'));
    return uri;
}

std::string host_of(std::string_view authority) {
    if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
        authority.remove_prefix(at + 1);
    }
    if (authority.starts_with('[')) {
        return base::to_lower(authority.substr(1, authority.find(']') - 1));
    }
    return base::to_lower(authority.substr(0, authority.find(':')));
}

}  // namespace registry
