// Which API key does a request present?
//
// `Authorization: Bearer KEY`, `Authorization: ApiKey KEY`, `Authorization: Basic base64(user:KEY)` and `X-API-Key:
// KEY`; scheme and field names in any case. Stock MLflow clients send Bearer or Basic. Keys in the query string are not
// accepted: they end up in logs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "http/message.hpp"

namespace auth {

// The key, or nothing when the request has none: no such field, another scheme, an empty key. The user name of Basic is
// ignored, unless the password is empty and the name looks like a key, as `curl -u KEY:` sends it.
//
// The result points into `fields` or, for Basic, into `storage`; nothing is allocated otherwise.
// Errors: invalid_argument for two different keys or Authorization fields (which one would be right is not ours to
// guess), unauthenticated for Basic credentials that can't be decoded.
base::Result<std::optional<std::string_view>> find_key(const http::Fields& fields, std::string& storage);

// The same of X-API-Key alone, for requests whose Authorization is meant for somebody else.
base::Result<std::optional<std::string_view>> find_header_key(const http::Fields& fields);

}  // namespace auth
