// A write that MLflow carried out, applied to the replica without having been read back. The last resort: it may differ
// from MLflow in what only a second look would show, so the model is read again later.
#pragma once

#include <string_view>

#include "base/error.hpp"
#include "registry/call.hpp"
#include "registry/store.hpp"
#include "replica/call_target.hpp"

namespace replica {

// By the registry's own rules, with the numbers and times of MLflow's answer where it has any, else `now`.
base::Result<void> apply_acknowledged(registry::Writer& writer,
                                      const registry::Call& call,
                                      const CallTarget& target,
                                      std::string_view body,
                                      base::WallTime now);

}  // namespace replica
