// Writes of the registry while MLflow is away: the journal's lanes of models, who fills them, and who delivers them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "apps/mlflow_replica.hpp"
#include "apps/offline_writes.hpp"
#include "apps/part.hpp"
#include "apps/probes.hpp"
#include "apps/settings.hpp"
#include "base/clock.hpp"
#include "base/task.hpp"
#include "http/message.hpp"
#include "mlflow/pace.hpp"
#include "mlflow/upstream.hpp"
#include "mlflow/upstream_client.hpp"
#include "net/worker.hpp"
#include "offline_registry/courier.hpp"
#include "offline_registry/offline_models.hpp"
#include "offline_registry/pending_models.hpp"
#include "registry/entities.hpp"
#include "replica/registry_client.hpp"
#include "telemetry/metrics.hpp"

namespace apps {

// Shared by all workers, which outlive it, as does whatever else it is given.
class OfflineRegistry final : public Part {
public:
    struct Deps {
        const ServiceSettings& settings;
        const mlflow::Upstream& upstream;
        MlflowReplica& copy;
        OfflineWrites& writes;
        net::Worker& control;
        const base::Clock& clock;
        telemetry::Metrics& metrics;
        std::function<void(const registry::ModelKey&)> when_delivered;
    };

    // Brings the copy's rows to what the journal holds; blocks. Throws base::ConfigError when the journal can't be
    // read.
    explicit OfflineRegistry(const Deps& deps);

    void start(net::Worker& control) override;
    void stop() override;

    // The writes of one worker.
    offline_registry::OfflineModels calls(net::Worker& worker);

    // Whether it is the rows that say what has become of the model's writes, and what they say.
    [[nodiscard]] bool has_pending(const registry::ModelKey& model) const {
        return pending_.contains(model);
    }

    [[nodiscard]] bool has_any_pending() const {
        return pending_.size() > 0;
    }

    base::Task<std::optional<http::Response>> answer(net::Worker& worker,
                                                     registry::Call read,
                                                     replica::CallTarget target) {
        return replica_.answer(worker, std::move(read), std::move(target));
    }

    [[nodiscard]] bool is_idle() const override {
        return true;  // the pools are the copy's and the journal's
    }

    void join() override {}

private:
    void take_up(const Deps& deps);
    base::Task<> watch_decisions();

    const bool accepts_;
    replica::Replica& replica_;
    journal::Journal& journal_;
    offline_registry::PendingModels pending_;
    WorkerSleeper sleeper_;
    mlflow::UpstreamClient client_;
    replica::RegistryClient reader_;
    mlflow::Pace pace_;
    std::unique_ptr<offline_registry::Courier> courier_;  // made when all that is pending is known
};

}  // namespace apps
