// The arguments of a call, as arguments_of() types them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "registry/entities.hpp"

#include <boost/json/object.hpp>

namespace registry {

class Arguments {
public:
    explicit Arguments(boost::json::object values) : values_(std::move(values)) {}

    [[nodiscard]] bool has(std::string_view name) const {
        return values_.contains(name);
    }

    // Empty when it was not given.
    [[nodiscard]] std::string text(std::string_view name) const;
    [[nodiscard]] std::vector<std::string> texts(std::string_view name) const;

    [[nodiscard]] std::optional<std::string> optional_text(std::string_view name) const;
    [[nodiscard]] std::int64_t number(std::string_view name, std::int64_t fallback) const;
    [[nodiscard]] bool flag(std::string_view name) const;

    // As they came: keys may repeat.
    [[nodiscard]] std::vector<Tag> tags() const;

private:
    boost::json::object values_;
};

}  // namespace registry
