// What a caller shows for itself: `bytes` are lines of fields, "Authorization: ..." and "X-API-Key: ...".
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/api_key.hpp"
#include "auth/credentials.hpp"
#include "base/strings.hpp"
#include "fuzz.hpp"

namespace {

using fuzz::require;

struct Found {
    std::optional<std::string> key;
    std::optional<base::Code> refusal;

    bool operator==(const Found&) const = default;
};

Found find(const std::vector<http::Field>& shown) {
    http::Fields fields;
    for (const http::Field& field : shown) {
        fields.add(field.name, field.value);
    }
    std::string storage = "left by another request";
    const auto key = auth::find_key(fields, storage);
    if (!key) {
        return {std::nullopt, key.error().code};
    }
    return {*key ? std::optional(std::string(**key)) : std::nullopt, std::nullopt};
}

void check_fields(std::string_view bytes) {
    std::vector<http::Field> shown;
    for (const std::string_view line : base::split_list(bytes, '\n')) {
        const std::size_t colon = std::min(line.find(':'), line.size());
        shown.push_back({line.substr(0, colon), base::trim(line.substr(std::min(colon + 1, line.size())))});
    }
    const Found found = find(shown);
    require(!found.key || !found.key->empty());
    // Neither order, nor repetition, nor the case of names, nor other fields make a difference.
    std::vector<http::Field> others = shown;
    std::ranges::reverse(others);
    others.insert(others.end(), shown.begin(), shown.end());
    std::vector<std::string> names;
    names.reserve(others.size());
    for (http::Field& field : others) {
        field.name = names.emplace_back(base::to_lower(field.name));
    }
    others.push_back({"Authorization-Info", "Bearer x"});
    require(find(others) == found);
    if (found.key) {
        others.push_back({"X-API-Key", "another"});
        require(find(others).refusal == base::Code::invalid_argument || *found.key == "another");
    }
}

void check_basic(std::string_view user_and_password) {
    const std::string encoded = base::base64_encode(user_and_password);
    require(base::base64_decode(encoded) == user_and_password);
    const std::string value = "Basic " + encoded;
    const Found found = find({{"Authorization", value}});
    const std::size_t colon = std::min(user_and_password.find(':'), user_and_password.size());
    const std::string_view user = user_and_password.substr(0, colon);
    const std::string_view password = user_and_password.substr(std::min(colon + 1, user_and_password.size()));
    const std::string_view expected = password.empty() && auth::looks_like_key(user) ? user : password;
    require(found.key.value_or("") == expected && !found.refusal);
}

void run(std::string_view bytes) {
    check_fields(bytes);
    check_basic(bytes);
    if (const auto decoded = base::base64_decode(bytes)) {
        require(base::base64_decode(base::base64_encode(*decoded)) == decoded);
    }
    if (auth::looks_like_key(bytes)) {
        const std::string shown = auth::display_prefix(bytes);
        require(bytes.starts_with(shown) && shown.size() + 37 == bytes.size());
    }
}

const fuzz::Registration kRegistration("credentials", run);

}  // namespace
