// Whose a request is.
#pragma once

#include <string_view>

namespace http {

// Who sent it, once access control has decided. The views last as long as the server.
struct Caller {
    std::string_view key_id;  // empty: nobody was asked for a key
    std::string_view key_name;
};

}  // namespace http
