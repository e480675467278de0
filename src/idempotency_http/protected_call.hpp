// Which calls must not be carried out twice, and what identifies them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "auth/key_hash.hpp"
#include "base/error.hpp"
#include "http/exchange.hpp"
#include "idempotency/intent.hpp"

namespace idempotency {

// Longer bodies are not kept back, so their calls have no protection but a create's own.
inline constexpr std::size_t kMaxKeyedBody = 64UL * 1024;

// Whether `request`, below one of MLflow's paths, is a create of the registry, or a small change with an
// Idempotency-Key.
bool is_protected(const http::RequestHead& request);

// Reads the body. Nothing: the call can be forwarded as it is, for it names nothing to create. Errors are
// registry_http::read_call()'s, and invalid_argument for a key that is none.
base::Task<base::Result<std::optional<Intent>>> read_intent(http::Exchange& exchange, auth::KeyHasher& hasher);

}  // namespace idempotency
