#include "idempotency_http/protected_call.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "base/strings.hpp"
#include "mlflow/routes.hpp"
#include "registry/call.hpp"
#include "registry/json.hpp"
#include "registry_http/read_call.hpp"

#include <boost/json/serialize.hpp>

namespace idempotency {

namespace {

using registry::Operation;

constexpr std::string_view kKeyField = "idempotency-key";
constexpr std::size_t kMaxKey = 255;

std::optional<Operation> create_operation(const http::RequestHead& request) {
    if (request.method != http::Method::post) {
        return std::nullopt;
    }
    const auto operation = registry_http::registry_operation(request, mlflow::to_upstream(request).target);
    return operation == Operation::create_model || operation == Operation::create_version ? operation : std::nullopt;
}

bool changes_something(const http::RequestHead& request) {
    switch (request.method) {
        case http::Method::post:
        case http::Method::put:
        case http::Method::patch:
        case http::Method::delete_:
            return mlflow::to_upstream(request).is_write();
        default:
            return false;
    }
}

bool has_small_body(const http::RequestHead& request) {
    return request.framing.kind == http::Framing::Kind::none ||
           (request.framing.kind == http::Framing::Kind::length && request.framing.length <= kMaxKeyedBody);
}

// Each part with its length, so that no two lists of parts give the same.
Digest digest_of(auth::KeyHasher& hasher, std::initializer_list<std::string_view> parts) {
    std::string all;
    for (const std::string_view part : parts) {
        base::append_decimal(all, part.size());
        all.append(":").append(part);
    }
    return hasher.hash(all);
}

base::Result<std::string> key_of(const http::RequestHead& request) {
    const auto count = std::ranges::count_if(
        request.fields, [](const http::Field& field) { return base::iequals(field.name, kKeyField); });
    std::string key(base::trim(request.fields.find(kKeyField).value_or("")));
    if (count > 1 || (count == 1 && key.empty()) || key.size() > kMaxKey) {
        return base::fail(base::Code::invalid_argument, "Idempotency-Key must be one text of 1 to 255 characters");
    }
    return key;
}

std::string route_of(const http::RequestHead& request) {
    const std::string_view target = mlflow::to_upstream(request).target;
    return std::string(request.method_text) + " " + std::string(target.substr(0, target.find('?')));
}

}  // namespace

bool is_protected(const http::RequestHead& request) {
    return create_operation(request) ||
           (changes_something(request) && has_small_body(request) && request.fields.find(kKeyField));
}

base::Task<base::Result<std::optional<Intent>>> read_intent(http::Exchange& exchange, auth::KeyHasher& hasher) {
    const http::RequestHead& request = exchange.request();
    const std::string_view target = mlflow::to_upstream(request).target;
    const std::optional<Operation> operation = create_operation(request);
    const base::Result<std::string> key = key_of(request);
    if (!key) {
        co_return std::unexpected(key.error());
    }
    // What is no create is read by the same rules; its operation means nothing.
    base::Result<registry::Call> call =
        co_await registry_http::read_call(exchange, operation.value_or(Operation::create_model), target);
    if (!call) {
        co_return std::unexpected(call.error());
    }
    exchange.unread_body(call->body);
    Intent intent;
    intent.has_key = !key->empty();
    if (operation) {
        const base::Result<boost::json::object> arguments = registry::arguments_of(*call);
        intent.model = {std::string(registry::normal_workspace(call->workspace)),
                        arguments ? registry::text_at(*arguments, "name") : ""};
        if (!intent.model.name.empty()) {
            intent.kind = *operation == Operation::create_model ? Kind::create_model : Kind::create_version;
            intent.arguments = boost::json::serialize(*arguments);
        } else if (!intent.has_key) {
            co_return std::optional<Intent>();
        }
    }
    // Where callers authenticate at MLflow, the key alone does not tell them apart.
    const std::string_view authorization = request.fields.find(http::FieldName::authorization).value_or("");
    intent.principal = exchange.caller.key_id;
    intent.route = route_of(request);
    intent.request = digest_of(
        hasher,
        {request.method_text, target, registry::normal_workspace(call->workspace), call->content_type, call->body});
    const std::string_view request_digest(reinterpret_cast<const char*>(intent.request.data()), intent.request.size());
    intent.identity = intent.has_key ? digest_of(hasher, {"key", intent.principal, authorization, *key})
                                     : digest_of(hasher, {"request", intent.principal, authorization, request_digest});
    intent.begun_at = exchange.context().worker.clock().wall_now();
    co_return std::optional(std::move(intent));
}

}  // namespace idempotency
