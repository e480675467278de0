// `hokusai keys create|list|revoke`: what the commands do, without flags, files or databases.
//
// Results go to `Console::out`, complaints to `Console::errors`. Each function gives the exit code: 0 done, 1 the store
// failed or there is no such key, 2 the arguments are wrong.
#pragma once

#include <string>
#include <string_view>

#include "apps/console.hpp"
#include "auth/key_hash.hpp"
#include "auth/key_store.hpp"
#include "base/clock.hpp"

namespace apps {

struct KeysCreateRequest {
    std::string name;
    std::string scopes{};                    // separated by commas
    std::string expires{};                   // as auth::parse_expiry() reads it; empty: never
    std::string environment = "production";  // production, test or development
    bool json = false;
};

// Prints the new key: the only time anybody sees it. With `json` one object: id, key, name, scopes, expires_at (null:
// never).
int keys_create(auth::KeyStore& store,
                auth::KeyHasher& hasher,
                const KeysCreateRequest& request,
                base::WallTime now,
                const Console& console);

// Every key with its state (active, expired or revoked), as a table or as a JSON array.
int keys_list(auth::KeyStore& store, bool as_json, base::WallTime now, const Console& console);

int keys_revoke(auth::KeyStore& store, std::string_view id, base::WallTime now, const Console& console);

}  // namespace apps
