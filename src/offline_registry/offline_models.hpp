// Writes of the registry, taken in MLflow's place while it is away or while earlier ones of their model wait.
#pragma once

#include <optional>

#include "base/error.hpp"
#include "base/task.hpp"
#include "http/exchange.hpp"
#include "http/message.hpp"
#include "journal/journal.hpp"
#include "net/worker.hpp"
#include "offline_registry/pending_models.hpp"
#include "offline_registry/promise.hpp"
#include "registry/call.hpp"
#include "replica/call_target.hpp"
#include "replica/replica.hpp"
#include "replica/stand_in.hpp"

namespace offline_registry {

// Under the model's lock: tried out on the rows, which gives the answer -> durable in the journal, with what was
// promised -> into the rows for good -> the client. The same call at the same time does the same to the same rows.
//
// Lives on one worker; what it refers to outlives it.
class OfflineModels final : public replica::StandIn {
public:
    struct Deps {
        net::Worker& worker;
        replica::Replica& replica;
        journal::Journal& journal;
        PendingModels& pending;
    };

    // Without `accepts`, only what has earlier calls before it is taken, which keeps their order.
    OfflineModels(Deps deps, bool accepts) : deps_(deps), accepts_(accepts) {}

    [[nodiscard]] bool has_pending(const registry::ModelKey& model) const override {
        return deps_.pending.contains(model);
    }

    [[nodiscard]] bool has_any_pending() const override {
        return deps_.pending.size() > 0;
    }

    base::Task<std::optional<http::Response>> take(http::Exchange& exchange,
                                                   registry::Call call,
                                                   replica::CallTarget target) override;

private:
    // Whether the rows are all MLflow has of the model, so that they tell what it would answer.
    [[nodiscard]] bool is_whole(const registry::ModelKey& key) const;
    base::Task<base::Result<Promise>> try_out(const registry::Call& call,
                                              const registry::ModelKey& key,
                                              base::WallTime now);
    base::Task<http::Response> accept(const registry::ModelKey& key,
                                      registry::Call call,
                                      journal::Entry entry,
                                      Promise promise);
    base::Task<base::Result<void>> catch_up(registry::ModelKey key);

    Deps deps_;
    const bool accepts_;
};

}  // namespace offline_registry
