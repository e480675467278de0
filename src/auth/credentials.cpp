#include "auth/credentials.hpp"

#include <algorithm>
#include <cstddef>

#include "auth/api_key.hpp"
#include "base/strings.hpp"

namespace auth {

namespace {

using PresentedKey = base::Result<std::optional<std::string_view>>;

std::optional<std::string_view> unless_empty(std::string_view key) {
    return key.empty() ? std::nullopt : std::optional(key);
}

PresentedKey key_of_basic(std::string_view encoded, std::string& storage) {
    std::optional<std::string> decoded = base::base64_decode(encoded);
    if (!decoded) {
        return base::fail(base::Code::unauthenticated,
                          "Basic credentials must be the base64 of user:password, with the API key as password");
    }
    storage = std::move(*decoded);
    const std::string_view text = storage;
    const std::size_t colon = std::min(text.find(':'), text.size());
    const std::string_view user = text.substr(0, colon);
    const std::string_view password = text.substr(std::min(colon + 1, text.size()));
    if (password.empty() && looks_like_key(user)) {
        return user;
    }
    return unless_empty(password);
}

PresentedKey key_of_authorization(std::string_view value, std::string& storage) {
    const std::size_t space = std::min(value.find_first_of(" \t"), value.size());
    const std::string_view scheme = value.substr(0, space);
    const std::string_view credentials = base::trim(value.substr(space));
    if (base::iequals(scheme, "Bearer") || base::iequals(scheme, "ApiKey")) {
        return unless_empty(credentials);
    }
    if (base::iequals(scheme, "Basic")) {
        return key_of_basic(credentials, storage);
    }
    return std::nullopt;
}

// The one value of all fields called `name`, empty if there is none; nothing when they differ.
std::optional<std::string_view> only_value(const http::Fields& fields, http::FieldName name) {
    std::optional<std::string_view> only;
    if (!fields.has(name)) {
        return std::string_view();
    }
    for (const http::Field& field : fields) {
        if (field.known != name) {
            continue;
        }
        const std::string_view value = base::trim(field.value);
        if (only && *only != value) {
            return std::nullopt;
        }
        only = value;
    }
    return only.value_or(std::string_view());
}

}  // namespace

base::Result<std::optional<std::string_view>> find_key(const http::Fields& fields, std::string& storage) {
    const std::optional<std::string_view> authorization = only_value(fields, http::FieldName::authorization);
    if (!authorization) {
        return base::fail(base::Code::invalid_argument, "Several Authorization headers differ; send one");
    }
    PresentedKey header_key = find_header_key(fields);
    if (!header_key) {
        return header_key;
    }
    PresentedKey key = key_of_authorization(*authorization, storage);
    if (!key || !*header_key) {
        return key;
    }
    if (*key && **key != **header_key) {
        return base::fail(base::Code::invalid_argument,
                          "Authorization and X-API-Key carry two different API keys; send one of them");
    }
    return header_key;
}

PresentedKey find_header_key(const http::Fields& fields) {
    const std::optional<std::string_view> key = only_value(fields, http::FieldName::x_api_key);
    if (!key) {
        return base::fail(base::Code::invalid_argument, "Several X-API-Key headers differ; send one");
    }
    return unless_empty(*key);
}

}  // namespace auth
