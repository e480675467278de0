// May this caller do that?
#pragma once

#include <optional>
#include <string_view>

#include "auth/key_ring.hpp"
#include "auth/scopes.hpp"
#include "base/error.hpp"
#include "http/message.hpp"

namespace auth {

// permission_denied, naming the scope that is missing and those the key has.
base::Result<void> check_access(const Principal& principal, Scope required);

// The WWW-Authenticate value to send with a 401. Browsers get a challenge, so that they ask for the key and MLflow's UI
// works; scripts get none, so that they read the error instead of prompting.
std::optional<std::string_view> challenge(const http::Fields& request_fields);

}  // namespace auth
