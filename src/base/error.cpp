#include "base/error.hpp"

#include <array>
#include <cstddef>

namespace base {

namespace {

struct CodeFacts {
    std::string_view name;
    int http_status;
    std::string_view mlflow;
};

// In the order of the enumerators.
constexpr std::array<CodeFacts, 14> kFacts{{
    {"invalid_argument", 400, "INVALID_PARAMETER_VALUE"},
    {"unauthenticated", 401, "UNAUTHENTICATED"},
    {"permission_denied", 403, "PERMISSION_DENIED"},
    {"not_found", 404, "ENDPOINT_NOT_FOUND"},
    {"missing_resource", 404, "RESOURCE_DOES_NOT_EXIST"},
    {"already_exists", 400, "RESOURCE_ALREADY_EXISTS"},
    {"conflict", 409, "RESOURCE_CONFLICT"},
    {"exhausted", 429, "RESOURCE_EXHAUSTED"},
    {"cancelled", 499, "CANCELLED"},
    {"unsupported", 501, "NOT_IMPLEMENTED"},
    {"unavailable", 503, "TEMPORARILY_UNAVAILABLE"},
    {"deadline_exceeded", 504, "DEADLINE_EXCEEDED"},
    {"data_loss", 500, "DATA_LOSS"},
    {"internal", 500, "INTERNAL_ERROR"},
}};

const CodeFacts& facts(Code code) {
    return kFacts.at(static_cast<std::size_t>(code));
}

}  // namespace

int http_status(Code code) {
    return facts(code).http_status;
}

std::string_view mlflow_error_code(Code code) {
    return facts(code).mlflow;
}

std::string_view to_string(Code code) {
    return facts(code).name;
}

Error Error::context(std::string_view attempted) const {
    return Error{code, std::string(attempted) + ": " + message};
}

}  // namespace base
