// Making and revoking keys: the rules shared by `hokusai keys`, the HTTP API and the first start.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "auth/api_key.hpp"
#include "auth/key_hash.hpp"
#include "auth/key_store.hpp"
#include "auth/scopes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"

namespace auth {

struct KeyRequest {
    std::string name;  // 1 to 100 characters of UTF-8 after trimming, none of them a control character
    Scopes scopes{};   // not empty
    std::optional<base::WallTime> expires_at{};  // in the future
    Environment environment = Environment::production;
};

struct IssuedKey {
    KeyRecord record;
    base::Secret key;  // exists here only: show it once
};

// Stores a new key. `actor` is who asked, for the audit log. invalid_argument when the request breaks a rule above.
base::Result<IssuedKey> issue_key(
    KeyStore& store, KeyHasher& hasher, const KeyRequest& request, std::string_view actor, base::WallTime now);

// The record as it is now; not_found ("API key not found"). A key already revoked keeps its first time.
base::Result<KeyRecord> revoke_key(KeyStore& store, std::string_view id, std::string_view actor, base::WallTime now);

// Makes `key` an admin key when there is no active one, so that a container can be given its first key by the
// environment. True when it was stored by this call. invalid_argument for a key of the wrong format; conflict when it
// was revoked or expired and no other admin key is left: a revoked key never comes back.
base::Result<bool> ensure_bootstrap_key(KeyStore& store,
                                        KeyHasher& hasher,
                                        const base::Secret& key,
                                        base::WallTime now);

}  // namespace auth
