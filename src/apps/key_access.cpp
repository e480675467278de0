#include "apps/key_access.hpp"

#include <array>
#include <utility>

#include "auth/access_control.hpp"
#include "auth/api_key.hpp"
#include "auth/credentials.hpp"
#include "mlflow/routes.hpp"

namespace apps {

namespace {

// A key nobody knows may have been made a moment ago by another process; the store is asked once, this long at most.
constexpr auto kRefreshLimit = std::chrono::milliseconds(1500);

auth::Scope to_scope(std::string_view name) {
    for (const auth::Scope scope :
         {auth::Scope::mlflow_read, auth::Scope::mlflow_write, auth::Scope::model_read, auth::Scope::model_write}) {
        if (auth::to_string(scope) == name) {
            return scope;
        }
    }
    return auth::Scope::admin;
}

http::Response refusal(const http::RequestHead& request, const base::Error& error) {
    const unsigned status = static_cast<unsigned>(base::http_status(error.code));
    http::Response response =
        mlflow::is_mlflow_path(request.path)
            ? http::mlflow_error_response(status, base::mlflow_error_code(error.code), error.message)
            : http::detail_response(status, error.message);
    if (status == 401) {
        if (const auto challenge = auth::challenge(request.fields)) {
            response.headers.emplace_back("WWW-Authenticate", std::string(*challenge));
        }
    } else if (status == 503) {
        response.headers.emplace_back("Retry-After", "15");
    }
    return response;
}

}  // namespace

base::Result<std::optional<std::string_view>> KeyAccess::presented_key(const http::Fields& fields) {
    if (deps_.passes_authorization_on) {
        base::Result<std::optional<std::string_view>> key = auth::find_header_key(fields);
        if (!key || *key) {
            return key;
        }
    }
    return auth::find_key(fields, storage_);
}

bool KeyAccess::try_authorize(http::Exchange& exchange, std::string_view scope) {
    if (!deps_.is_required) {
        return true;
    }
    const base::Result<std::optional<std::string_view>> key = presented_key(exchange.request().fields);
    if (!key || !*key) {
        return false;
    }
    const base::Result<auth::Principal> principal =
        reader_.authenticate(**key, exchange.context().worker.clock().wall_now());
    if (!principal || !principal->scopes.allows(to_scope(scope))) {
        return false;
    }
    exchange.caller = {principal->id, principal->name};
    return true;
}

base::Task<std::optional<http::Response>> KeyAccess::authorize(http::Exchange& exchange, std::string_view scope) {
    if (!deps_.is_required) {
        co_return std::nullopt;
    }
    const http::RequestHead& request = exchange.request();
    const base::Result<std::optional<std::string_view>> key = presented_key(request.fields);
    if (!key) {
        co_return refusal(request, key.error());
    }
    const base::WallTime now = exchange.context().worker.clock().wall_now();
    base::Result<auth::Principal> principal = reader_.authenticate(key->value_or(""), now);
    if (!principal && key->has_value() && auth::looks_like_key(**key)) {
        const std::string copy(**key);  // storage_ may be overwritten by other requests meanwhile
        const bool is_fresh = co_await deps_.refresher.refresh(exchange.context().worker, kRefreshLimit);
        principal = reader_.authenticate(copy, now);
        if (!principal && !is_fresh) {
            co_return refusal(
                request,
                {base::Code::unavailable, "this key cannot be checked now, because the key store does not answer"});
        }
    }
    if (!principal) {
        co_return refusal(request, principal.error());
    }
    const base::Result<void> allowed = auth::check_access(*principal, to_scope(scope));
    if (!allowed) {
        co_return refusal(request, allowed.error());
    }
    exchange.caller = {principal->id, principal->name};
    co_return std::nullopt;
}

}  // namespace apps
