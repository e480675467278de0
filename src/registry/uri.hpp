// URIs as Python's urllib.parse splits them.
#pragma once

#include <string>
#include <string_view>

namespace registry {

struct Uri {
    std::string scheme;     // lower-case; empty: none
    std::string authority;  // between "//" and the path
    std::string path;       // without query, and without fragment unless told to keep it
};

enum class Fragment { cut, kept };

Uri parse_uri(std::string_view text, Fragment fragment = Fragment::cut);

// Of an authority: lower-case, without user and port.
std::string host_of(std::string_view authority);

}  // namespace registry
