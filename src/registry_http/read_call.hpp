// From an HTTP request to a call of the registry.
#pragma once

#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "base/task.hpp"
#include "http/exchange.hpp"
#include "http/message.hpp"
#include "registry/call.hpp"
#include "registry/operation.hpp"

namespace registry_http {

// `target`: path and query as MLflow's server would get them. Nothing: no call of the registry. HEAD counts as GET.
std::optional<registry::Operation> registry_operation(const http::RequestHead& request, std::string_view target);

// The workspace the request names; empty: none.
std::string_view workspace_of(const http::RequestHead& request);

// Of a call that sets an alias: it is a rollback from the version this names, 0 for none, and is refused with 409 when
// the alias names another by now.
inline constexpr std::string_view kRollbackField = "X-Hokusai-Rollback-From";

// Reads the body. invalid_argument when it is too large for any registry call, or does not arrive whole; cancelled when
// the client went away.
base::Task<base::Result<registry::Call>> read_call(http::Exchange& exchange,
                                                   registry::Operation operation,
                                                   std::string_view target);

}  // namespace registry_http
