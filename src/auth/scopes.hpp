// What a key may do.
//
//   mlflow:read   reads through the gateway, searches by POST included
//   mlflow:write  everything of MLflow's
//   model:read    reads of our own registry API
//   model:write   everything of our own registry API
//   admin         everything, and keys, resets and other operations
//
// Writing implies reading. The names of the service before this one are understood when a key is made: `mlflow:access`
// is mlflow:write; `read`, and `write` or `full_access`, stand for the pair of both APIs. None of them ever means
// admin.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace auth {

enum class Scope : std::uint8_t { mlflow_read, mlflow_write, model_read, model_write, admin };

std::string_view to_string(Scope scope);

// A set of scopes, a value of one byte.
class Scopes {
public:
    constexpr Scopes() = default;

    constexpr Scopes(std::initializer_list<Scope> scopes) {
        for (const Scope scope : scopes) {
            granted_ = static_cast<std::uint8_t>(granted_ | bit(scope));
        }
    }

    constexpr void add(Scopes other) {
        granted_ = static_cast<std::uint8_t>(granted_ | other.granted_);
    }

    // Whether `required` was granted, by itself or by implication.
    [[nodiscard]] constexpr bool allows(Scope required) const {
        unsigned sufficient = bit(required) | bit(Scope::admin);
        if (required == Scope::mlflow_read) {
            sufficient |= bit(Scope::mlflow_write);
        } else if (required == Scope::model_read) {
            sufficient |= bit(Scope::model_write);
        }
        return (granted_ & sufficient) != 0;
    }

    [[nodiscard]] constexpr bool is_empty() const {
        return granted_ == 0;
    }

    // As granted, without what they imply, in the order of the table above.
    [[nodiscard]] std::vector<std::string_view> names() const;

    constexpr bool operator==(const Scopes&) const = default;

private:
    static constexpr unsigned bit(Scope scope) {
        return 1U << static_cast<unsigned>(scope);
    }

    std::uint8_t granted_ = 0;
};

// One name or synonym.
std::optional<Scopes> parse_scope(std::string_view name);

// At least one name, each known; otherwise invalid_argument, naming the wrong one and those allowed.
base::Result<Scopes> parse_scopes(std::span<const std::string_view> names);

// "mlflow:read, model:write".
std::string to_string(Scopes scopes);

}  // namespace auth
