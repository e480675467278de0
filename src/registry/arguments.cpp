#include "registry/arguments.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

namespace registry {

std::string Arguments::text(std::string_view name) const {
    return optional_text(name).value_or("");
}

std::vector<std::string> Arguments::texts(std::string_view name) const {
    std::vector<std::string> texts;
    if (const auto* value = values_.if_contains(name)) {
        for (const auto& item : value->get_array()) {
            texts.emplace_back(item.get_string());
        }
    }
    return texts;
}

std::optional<std::string> Arguments::optional_text(std::string_view name) const {
    const auto* value = values_.if_contains(name);
    return value == nullptr ? std::nullopt : std::optional<std::string>(value->get_string());
}

std::int64_t Arguments::number(std::string_view name, std::int64_t fallback) const {
    const auto* value = values_.if_contains(name);
    return value == nullptr ? fallback : value->get_int64();
}

bool Arguments::flag(std::string_view name) const {
    const auto* value = values_.if_contains(name);
    return value != nullptr && value->get_bool();
}

std::vector<Tag> Arguments::tags() const {
    std::vector<Tag> tags;
    if (const auto* value = values_.if_contains("tags")) {
        for (const auto& item : value->get_array()) {
            tags.push_back({std::string(item.at("key").get_string()), std::string(item.at("value").get_string())});
        }
    }
    return tags;
}

}  // namespace registry
