#include "auth/access_control.hpp"

#include <fmt/format.h>

namespace auth {

base::Result<void> check_access(const Principal& principal, Scope required) {
    if (principal.scopes.allows(required)) {
        return {};
    }
    return base::fail(
        base::Code::permission_denied,
        fmt::format("This needs the scope {}, and the API key '{}' has {}. Use a key with that scope, or ask "
                    "an administrator for one",
                    to_string(required),
                    principal.name,
                    to_string(principal.scopes)));
}

std::optional<std::string_view> challenge(const http::Fields& request_fields) {
    if (request_fields.lists(http::FieldName::accept, "text/html")) {
        return R"(Basic realm="Hokusai: any user name, the API key as password", charset="UTF-8")";
    }
    return std::nullopt;
}

}  // namespace auth
