// Access control of the HTTP server: API keys against the key ring, answers in the form each path's clients read.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "auth/key_refresher.hpp"
#include "auth/key_ring.hpp"
#include "http/router.hpp"

namespace apps {

// One per worker. Everything given outlives it.
class KeyAccess final : public http::AccessControl {
public:
    struct Deps {
        const auth::KeyRing& ring;
        const auth::Pepper& pepper;
        auth::KeyRefresher& refresher;
        bool is_required;              // false: everybody may do everything
        bool passes_authorization_on;  // Authorization is MLflow's; the key comes as X-API-Key when both are sent
    };

    explicit KeyAccess(const Deps& deps) : deps_(deps), reader_(deps.ring, deps.pepper) {}

    bool try_authorize(http::Exchange& exchange, std::string_view scope) override;
    base::Task<std::optional<http::Response>> authorize(http::Exchange& exchange, std::string_view scope) override;

private:
    base::Result<std::optional<std::string_view>> presented_key(const http::Fields& fields);

    Deps deps_;
    auth::KeyReader reader_;
    std::string storage_;  // of a key that had to be decoded
};

}  // namespace apps
