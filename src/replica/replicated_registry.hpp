// Registry calls of one worker, in front of the gateway: MLflow answers them as long as it does, the replica otherwise.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/task.hpp"
#include "http/exchange.hpp"
#include "mlflow/call_observer.hpp"
#include "net/worker.hpp"
#include "registry/alias_index.hpp"
#include "registry/version_loads.hpp"
#include "replica/local_write.hpp"
#include "replica/replica.hpp"
#include "replica/stand_in.hpp"
#include "replica/upstream_reader.hpp"
#include "telemetry/metrics.hpp"

namespace replica {

struct ReplicatedSettings {
    base::Duration read_max_age{0};  // zero: MLflow is always asked first
    base::Duration lock_patience = std::chrono::seconds(30);
};

struct ReplicaMetrics {
    explicit ReplicaMetrics(telemetry::Metrics& metrics);

    telemetry::Counter& answers_unavailable;  // MLflow did not answer, the replica did
    telemetry::Counter& answers_first;        // MLflow was not asked
    telemetry::Counter& answers_pending;      // MLflow has not got all writes yet
    telemetry::Counter& cannot_tell;          // MLflow did not answer, and the replica does not know
    telemetry::Counter& writes_read_back;
    telemetry::Counter& writes_unsettled;
};

// Lives on one worker; what it refers to outlives it.
class ReplicatedRegistry {
public:
    // The gateway's: `observer` may be null, `body` is the request's when it was read already.
    using Forward =
        std::function<base::Task<>(http::Exchange&, mlflow::CallObserver* observer, std::optional<std::string> body)>;

    struct Deps {
        net::Worker& worker;
        Replica& replica;
        const registry::AliasIndex& aliases;
        UpstreamReader& reader;
        telemetry::Metrics& metrics;
        Forward forward;
        registry::LoadNotes& loads;   // of this worker
        StandIn* stand_in = nullptr;  // null: nobody takes writes in MLflow's place
    };

    ReplicatedRegistry(Deps deps, ReplicatedSettings settings);

    // At once, what needs neither MLflow nor a disk: an alias that was confirmed of late.
    std::optional<http::Response> find_answer(http::Exchange& exchange);

    // Answers any of MLflow's paths; those that are no registry calls go straight to the gateway. `observer` is told of
    // writes only, after the replica was; it may be null.
    base::Task<> handle(http::Exchange& exchange, mlflow::CallObserver* observer = nullptr);

private:
    class ReadObserver;
    class WriteObserver;

    base::Task<> read(http::Exchange& exchange, registry::Call call, std::optional<std::string> body);
    base::Task<> write(http::Exchange& exchange,
                       registry::Call call,
                       std::optional<std::string> body,
                       mlflow::CallObserver* observer);
    base::Task<> read_pending(http::Exchange& exchange, const registry::Call& call, CallTarget target);
    base::Task<> write_behind(http::Exchange& exchange, const LocalWrite& write, mlflow::CallObserver* observer);
    base::Task<bool> take(http::Exchange& exchange, const LocalWrite& write, mlflow::CallObserver* observer);
    [[nodiscard]] bool has_pending(const registry::Call& call, const CallTarget& target) const;
    base::Task<bool> answer_first(http::Exchange& exchange, const registry::Call& call, const CallTarget& target);
    base::Task<> read_through(const registry::Call& call, const CallTarget& target, std::string_view body, Asked asked);
    [[nodiscard]] registry::Timestamp wall_milliseconds() const;
    void note_load(const registry::Call& call, std::string_view answer);
    // Without a part: everything is.
    [[nodiscard]] bool is_fresh(const registry::ModelKey& model, const std::optional<Part>& part) const;

    Deps deps_;
    const ReplicatedSettings settings_;
    ReplicaMetrics metrics_;
};

}  // namespace replica
