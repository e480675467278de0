// Who takes writes in MLflow's place while it is away: a port.
#pragma once

#include <optional>

#include "base/task.hpp"
#include "http/exchange.hpp"
#include "http/message.hpp"
#include "registry/call.hpp"
#include "registry/entities.hpp"
#include "replica/call_target.hpp"

namespace replica {

// Lives on one worker; but whether there is anything pending may be asked anywhere, at the cost of one atomic while
// there is not.
class StandIn {
public:
    virtual ~StandIn() = default;

    // Writes of the model wait for MLflow: the rows say what it is like, and further writes go behind those.
    [[nodiscard]] virtual bool has_pending(const registry::ModelKey& model) const = 0;
    [[nodiscard]] virtual bool has_any_pending() const = 0;

    // Under the locks of the call's models, and when MLflow has surely not carried it out. The answer that MLflow would
    // give; 504: it may have been taken; nothing: only MLflow can answer it.
    virtual base::Task<std::optional<http::Response>> take(http::Exchange& exchange,
                                                           registry::Call call,
                                                           CallTarget target) = 0;
};

}  // namespace replica
