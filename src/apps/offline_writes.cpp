#include "apps/offline_writes.hpp"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apps/mlflow_replica.hpp"
#include "apps/store.hpp"
#include "offline_registry/promise.hpp"
#include "resilience/circuit_breaker.hpp"
#include "storage/sqlite_database.hpp"
#include "telemetry/log.hpp"

namespace apps {

namespace {

constexpr std::size_t kMaxJobs = 16'384;  // beyond what the journal lets wait
constexpr std::size_t kCallsAtOnce = 4;
constexpr std::size_t kMaxRuns = 10'000;
constexpr std::size_t kMaxSavedRuns = 2 * kMaxRuns;  // the time kept with each is up to an hour old
constexpr std::size_t kMaxParamBytes = std::size_t{16} << 20U;
constexpr base::Duration kHousekeeping = std::chrono::seconds(1);
constexpr base::Duration kPatience = std::chrono::seconds(10);
constexpr const char* kAttempt =
    "cannot use the journal of accepted writes (journal.db in the data folder holds what MLflow has not got yet)";

bool is_reachable(const mlflow::Upstream& upstream) {
    return upstream.breaker.state() == resilience::BreakerState::closed;
}

}  // namespace

bool wants_offline_writes(const ServiceSettings& settings) {
    return !settings.mlflow.urls.empty() &&
           (settings.offline.accepts_writes || std::filesystem::exists(storage::journal_file(settings.data_dir)));
}

OfflineWrites::OfflineWrites(const Deps& deps)
    : control_(deps.control),
      upstream_(deps.upstream),
      accepts_(deps.settings.offline.accepts_writes),
      store_(or_config_error(storage::open_journal_database(deps.settings.data_dir), kAttempt)),
      pool_(1, kMaxJobs),
      journal_({store_, pool_, deps.clock, deps.metrics},
               {deps.settings.offline.max_bytes, deps.settings.offline.max_entries}),
      runs_(deps.clock, kMaxRuns),
      params_(kMaxParamBytes),
      sleeper_(deps.control),
      client_(deps.control, deps.upstream, "hokusai-journal", deps.settings.mlflow.connect_timeout, kCallsAtOnce),
      pace_(mlflow::pace_deps(deps.upstream, deps.clock, sleeper_)),
      // A connection MLflow had closed meanwhile is tried again at once: these calls may be repeated.
      replayer_({control_,
                 journal_,
                 pace_,
                 [this](mlflow::UpstreamClient::Question question) { return client_.get(std::move(question)); },
                 deps.metrics},
                {.patience = deps.settings.mlflow.write_timeout}) {
    or_config_error(journal_.load(), kAttempt);
    runs_.load(or_config_error(store_.known_lanes(kMaxRuns), kAttempt));
    if (!wants_replica(deps.settings) && journal_.has_lanes(offline_registry::kModelLanes)) {
        telemetry::log_warn("registry_writes_wait",
                            {{"reason", "they are delivered with the replica (replica.mode) only"}});
    }
    journal::export_journal(deps.metrics, journal_, deps.clock);
}

void OfflineWrites::start(net::Worker& control) {
    for (std::size_t i = 0; i < kCallsAtOnce; ++i) {
        control.tasks().spawn("journal_replayer", replayer_.run());
    }
    control.tasks().spawn("journal_housekeeping", keep_house());
}

void OfflineWrites::stop() {
    pace_.stop();
    sleeper_.wake_all();
    client_.stop();
}

base::Task<> OfflineWrites::keep_house() {
    while (!pace_.is_stopping()) {
        co_await pace_.rest(kHousekeeping);
        co_await save_runs();
        if (journal_.figures().entries > 0) {
            co_await journal_.refresh(control_);
        }
    }
}

base::Task<> OfflineWrites::save_runs() {
    const std::vector<journal::KnownLane> lanes = runs_.unsaved();
    if (lanes.empty()) {
        co_return;
    }
    const base::Result<void> saved =
        co_await pool_.run(control_, kPatience, [this, lanes] { return store_.put_known_lanes(lanes, kMaxSavedRuns); });
    if (!saved) {
        runs_.give_back(lanes);
        telemetry::log_warn("journal_runs_not_saved", {{"error", saved.error().message}});
    }
}

offline::OfflineRuns OfflineWrites::calls(net::Worker& worker, mlflow::Gateway& gateway) {
    return {{worker,
             journal_,
             runs_,
             params_,
             [&upstream = upstream_] { return is_reachable(upstream); },
             [&gateway](http::Exchange& exchange, mlflow::CallObserver* observer, std::optional<std::string> body) {
                 return gateway.handle(exchange, observer, std::move(body));
             }},
            accepts_};
}

}  // namespace apps
