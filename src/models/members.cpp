#include "models/members.hpp"

#include "registry/utf8.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace models {

namespace json = boost::json;

void Members::fail(std::string_view name, std::string_view message, std::string_view type) {
    std::vector<std::string_view> place = place_;
    place.push_back(name);
    errors_.add(place, message, type);
}

const json::value* Members::find(std::string_view name, Presence presence) {
    const json::value* const value = object_.if_contains(name);
    if (value == nullptr && presence == Presence::required) {
        fail(name, "Field required", "missing");
    }
    return value;
}

std::optional<std::string> Members::text(std::string_view name, Presence presence, std::size_t max_length) {
    const json::value* const value = find(name, presence);
    if (value == nullptr) {
        return std::nullopt;
    }
    const json::string* const text = value->if_string();
    if (text == nullptr) {
        fail(name, "Input should be a valid string", "string_type");
        return std::nullopt;
    }
    if (text->find('\0') != json::string::npos) {
        fail(name, "Must not have NUL characters", "string_type");
        return std::nullopt;
    }
    if (registry::length(*text) > max_length) {
        fail(name, fmt::format("At most {} characters", max_length), "string_too_long");
        return std::nullopt;
    }
    return std::string(*text);
}

std::optional<bool> Members::boolean(std::string_view name) {
    const json::value* const value = find(name, Presence::optional);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->is_bool()) {
        fail(name, "Input should be a valid boolean", "bool_type");
        return std::nullopt;
    }
    return value->get_bool();
}

const json::object* Members::object(std::string_view name, Presence presence) {
    const json::value* const value = find(name, presence);
    if (value != nullptr && !value->is_object()) {
        fail(name, "Input should be a valid dictionary", "dict_type");
    }
    return value != nullptr ? value->if_object() : nullptr;
}

const json::array* Members::array(std::string_view name, Presence presence) {
    const json::value* const value = find(name, presence);
    if (value != nullptr && !value->is_array()) {
        fail(name, "Input should be a valid list", "list_type");
    }
    return value != nullptr ? value->if_array() : nullptr;
}

std::map<std::string, std::string> Members::texts(std::string_view name, std::size_t max_length) {
    std::map<std::string, std::string> result;
    const json::object* const items = object(name, Presence::optional);
    if (items == nullptr) {
        return result;
    }
    std::vector<std::string_view> place = place_;
    place.push_back(name);
    Members members(*items, place, errors_);
    for (const auto& item : *items) {
        if (auto value = members.text(item.key(), Presence::required, max_length)) {
            result.emplace(std::string(item.key()), std::move(*value));
        }
    }
    return result;
}

}  // namespace models
