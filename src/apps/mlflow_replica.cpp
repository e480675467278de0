#include "apps/mlflow_replica.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "apps/store.hpp"
#include "replica/replica_metrics.hpp"
#include "resilience/circuit_breaker.hpp"
#include "storage/sqlite_database.hpp"
#include "telemetry/log.hpp"

namespace apps {

namespace {

constexpr std::size_t kReaders = 2;
constexpr std::size_t kThreads = kReaders + 1;  // writes take turns
constexpr std::size_t kMaxWaiting = 1024;
constexpr std::size_t kKeptConnections = 2;
constexpr auto kComparison = std::chrono::minutes(1);
constexpr const char* kAttempt =
    "cannot use the copy of MLflow's registry (replica.db in the data folder may be deleted)";

std::unique_ptr<storage::SqliteRegistryStore> open(const std::string& data_dir) {
    auto writer = or_config_error(storage::open_replica_database(data_dir), kAttempt);
    return or_config_error(storage::SqliteRegistryStore::open(std::move(writer), kReaders), kAttempt);
}

replica::RegistryClient::Deps reader_deps(net::Worker& worker,
                                          net::BlockingPool& pool,
                                          mlflow::UpstreamClient& client) {
    return {
        worker, pool, [&client](mlflow::UpstreamClient::Question question) { return client.get(std::move(question)); }};
}

}  // namespace

bool wants_replica(const ServiceSettings& settings) {
    const bool is_chosen = settings.replica.mode == ReplicaMode::on ||
                           (settings.replica.mode == ReplicaMode::automatic && !settings.mlflow.forward_auth);
    return is_chosen && !settings.mlflow.urls.empty();
}

MlflowReplica::MlflowReplica(const Deps& deps)
    : rows_(open(deps.settings.data_dir)),
      recorded_(*rows_, deps.clock, deps.past.aliases()),
      store_(recorded_, aliases_),
      pool_(kThreads, kMaxWaiting),
      replica_(store_, pool_, deps.clock),
      sleeper_(deps.control),
      client_(deps.control, deps.upstream, "hokusai-replica", deps.settings.mlflow.connect_timeout, kKeptConnections),
      reader_(reader_deps(deps.control, pool_, client_), {}),
      pace_(mlflow::pace_deps(deps.upstream, deps.clock, sleeper_)),
      reconciler_({deps.control, replica_, reader_, pace_},
                  {.interval = deps.settings.replica.sweep_interval,
                   .when_filled = [this, &deps_control = deps.control] { return compare_history(deps_control); }},
                  deps.metrics) {
    or_config_error(store_.load(), kAttempt);
    or_config_error(replica_.open(config::to_text(deps.settings.mlflow.urls.front())), kAttempt);
    or_config_error(recorded_.compare(replica_.is_complete() ? registry::RecordedStore::Absence::counts
                                                             : registry::RecordedStore::Absence::says_nothing),
                    "cannot compare the history of aliases with the copy of MLflow's registry");
    replica::export_replica(deps.metrics, replica_);
    deps.metrics.gauge("hokusai_alias_history_models_behind",
                       "Models whose last changes of aliases the history could not take yet.",
                       {},
                       [this] { return static_cast<double>(recorded_.models_behind()); });
}

// What is missing from the rows of a first filling, though the history knows it, is gone.
base::Task<> MlflowReplica::compare_history(net::Worker& worker) {
    const base::Result<void> compared = co_await pool_.run(
        worker, kComparison, [this] { return recorded_.compare(registry::RecordedStore::Absence::counts); });
    if (!compared) {
        telemetry::log_warn("alias_history_not_compared", {{"error", compared.error().message}});
    }
}

void MlflowReplica::start(net::Worker& control) {
    control.tasks().spawn("replica", reconciler_.run());
}

void MlflowReplica::stop() {
    reconciler_.stop();
    sleeper_.wake_all();
    client_.stop();
}

ReplicatedCalls::ReplicatedCalls(MlflowReplica& copy,
                                 net::Worker& worker,
                                 const mlflow::Upstream& upstream,
                                 mlflow::Gateway& gateway,
                                 const ReplicaSettings& settings,
                                 telemetry::Metrics& metrics,
                                 registry::LoadNotes& loads,
                                 replica::StandIn* stand_in)
    : client_(worker, upstream, "hokusai-replica", upstream.settings.connect_timeout, kKeptConnections),
      reader_(reader_deps(worker, copy.pool_, client_), {}),
      calls_({worker,
              copy.replica_,
              copy.aliases_,
              reader_,
              metrics,
              [&gateway](http::Exchange& exchange, mlflow::CallObserver* observer, std::optional<std::string> body) {
                  return gateway.handle(exchange, observer, std::move(body));
              },
              loads,
              stand_in},
             {.read_max_age = settings.read_max_age}) {}

bool ReplicatedCalls::try_answer(http::Exchange& exchange) {
    const std::optional<http::Response> answer = calls_.find_answer(exchange);
    if (answer) {
        exchange.answer(*answer);
    }
    return answer.has_value();
}

}  // namespace apps
