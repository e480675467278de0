// A read, answered from the replica's rows; or not, where the rows cannot tell.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "registry/call.hpp"
#include "registry/registry.hpp"
#include "registry/store.hpp"
#include "replica/call_target.hpp"

namespace replica {

struct RowAnswer {
    base::Result<std::string> body;  // or the error MLflow would answer
    std::int64_t revision = 0;
};

// Nothing when an answer would pretend to know: what is missing may be in MLflow all the same while the replica is
// being filled for the first time, or while `is_marked` the model is to be read again. Errors are the store's.
base::Result<std::optional<RowAnswer>> answer_from_rows(registry::Reader& reader,
                                                        const registry::Registry& registry,
                                                        const registry::Call& call,
                                                        const CallTarget& target,
                                                        bool is_marked);

}  // namespace replica
