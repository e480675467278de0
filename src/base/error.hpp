// What can go wrong in a way the caller may act on.
#pragma once

#include <expected>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace base {

// A closed set: programs decide on the code, people read the message.
enum class Code {
    invalid_argument,
    unauthenticated,
    permission_denied,
    not_found,         // no such place to ask
    missing_resource,  // no such thing there
    already_exists,
    conflict,
    exhausted,
    cancelled,
    unsupported,
    unavailable,
    deadline_exceeded,
    data_loss,
    internal,
};

// HTTP status of `code`; docs/errors.md shows the same table to users.
int http_status(Code code);

// MLflow's error_code for `code` (mlflow/protos/databricks.proto), the only codes its client understands.
std::string_view mlflow_error_code(Code code);

std::string_view to_string(Code code);

struct Error {
    Code code;
    std::string message;

    // The same error with what was being attempted in front: "reading pepper: permission denied".
    [[nodiscard]] Error context(std::string_view attempted) const;
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Code code, std::string message) {
    return std::unexpected(Error{code, std::move(message)});
}

// A setting or argument the process cannot start with. The message names the setting, where it came from and the
// remedy; main() prints it and exits with 2.
class ConfigError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

}  // namespace base
