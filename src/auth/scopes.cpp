#include "auth/scopes.hpp"

#include <array>
#include <cstddef>

#include "base/strings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace auth {

namespace {

// In the order of Scope.
constexpr std::array<std::string_view, 5> kScopeNames{
    "mlflow:read", "mlflow:write", "model:read", "model:write", "admin"};

struct ScopeSynonym {
    std::string_view name;
    Scopes scopes;
};

constexpr std::array<ScopeSynonym, 4> kScopeSynonyms{{
    {"mlflow:access", {Scope::mlflow_write}},
    {"read", {Scope::mlflow_read, Scope::model_read}},
    {"write", {Scope::mlflow_write, Scope::model_write}},
    {"full_access", {Scope::mlflow_write, Scope::model_write}},
}};

base::Error unknown_scope(std::string_view name) {
    std::string message = fmt::format("unknown scope '{}'", name);
    if (const auto nearest = base::nearest_name(name, {kScopeNames.begin(), kScopeNames.end()})) {
        message += fmt::format(", did you mean {}?", *nearest);
    }
    message += fmt::format(" Allowed: {}", fmt::join(kScopeNames, ", "));
    return {base::Code::invalid_argument, std::move(message)};
}

}  // namespace

std::string_view to_string(Scope scope) {
    return kScopeNames.at(static_cast<std::size_t>(scope));
}

std::vector<std::string_view> Scopes::names() const {
    std::vector<std::string_view> names;
    for (std::size_t index = 0; index < kScopeNames.size(); ++index) {
        if ((granted_ & bit(static_cast<Scope>(index))) != 0) {
            names.push_back(kScopeNames[index]);
        }
    }
    return names;
}

std::optional<Scopes> parse_scope(std::string_view name) {
    for (std::size_t index = 0; index < kScopeNames.size(); ++index) {
        if (kScopeNames[index] == name) {
            return Scopes{static_cast<Scope>(index)};
        }
    }
    for (const ScopeSynonym& synonym : kScopeSynonyms) {
        if (synonym.name == name) {
            return synonym.scopes;
        }
    }
    return std::nullopt;
}

base::Result<Scopes> parse_scopes(std::span<const std::string_view> names) {
    Scopes scopes;
    for (const std::string_view name : names) {
        const std::optional<Scopes> parsed = parse_scope(name);
        if (!parsed) {
            return std::unexpected(unknown_scope(name));
        }
        scopes.add(*parsed);
    }
    if (scopes.is_empty()) {
        return base::fail(base::Code::invalid_argument,
                          fmt::format("a key needs at least one scope. Allowed: {}", fmt::join(kScopeNames, ", ")));
    }
    return scopes;
}

std::string to_string(Scopes scopes) {
    return fmt::format("{}", fmt::join(scopes.names(), ", "));
}

}  // namespace auth
