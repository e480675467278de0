#include "apps/offline_registry.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "apps/store.hpp"
#include "telemetry/log.hpp"

namespace apps {

namespace {

constexpr std::size_t kCallsAtOnce = 4;
constexpr base::Duration kLookForDecisions = std::chrono::seconds(1);
constexpr const char* kAttempt = "cannot read what the journal of accepted writes (journal.db) holds of models";

}  // namespace

OfflineRegistry::OfflineRegistry(const Deps& deps)
    : accepts_(deps.settings.offline.accepts_writes),
      replica_(deps.copy.replica()),
      journal_(deps.writes.journal()),
      pending_(replica_.confirmations),
      sleeper_(deps.control),
      client_(deps.control, deps.upstream, "hokusai-registry", deps.settings.mlflow.connect_timeout, 2 * kCallsAtOnce),
      reader_({deps.control,
               deps.copy.pool(),
               [this](mlflow::UpstreamClient::Question question) { return client_.get(std::move(question)); }},
              {}),
      pace_(mlflow::pace_deps(deps.upstream, deps.clock, sleeper_)) {
    take_up(deps);
    courier_ = std::make_unique<offline_registry::Courier>(
        offline_registry::Courier::Deps{
            deps.control,
            replica_,
            reader_,
            journal_,
            pending_,
            pace_,
            [this](mlflow::UpstreamClient::Question question) { return client_.send(std::move(question)); },
            deps.metrics,
            deps.when_delivered},
        offline_registry::CourierSettings{.patience = deps.settings.mlflow.write_timeout});
    const auto add = [&](const char* name, const char* help, auto read) {
        deps.metrics.gauge(name, help, {}, [this, read] { return static_cast<double>(read(pending_)); });
    };
    using offline_registry::PendingModels;
    add("hokusai_registry_pending_models",
        "Models whose accepted writes wait for MLflow.",
        [](const PendingModels& pending) { return pending.size(); });
    add("hokusai_registry_conflicts",
        "Those of them that wait for hokusai registry resolve.",
        [](const PendingModels& pending) { return pending.held(); });
}

// What an earlier process left.
void OfflineRegistry::take_up(const Deps& deps) {
    constexpr std::size_t kAll = std::numeric_limits<std::int32_t>::max();
    journal::JournalStore& store = deps.writes.store();
    for (const std::string& lane : journal_.lanes(offline_registry::kModelLanes)) {
        const registry::ModelKey key = offline_registry::model_of_lane(lane);
        const auto entries =
            or_config_error(store.head(lane, kAll, std::numeric_limits<std::int64_t>::max()), kAttempt);
        pending_.add(key);
        const base::Result<void> caught_up =
            replica_.write_now([&](registry::Writer& writer) -> base::Result<std::int64_t> {
                const auto count = offline_registry::catch_up(writer, key, entries);
                return count ? base::Result<std::int64_t>(static_cast<std::int64_t>(*count))
                             : std::unexpected(count.error());
            });
        if (!caught_up) {
            pending_.set_behind(key, true);
            telemetry::log_warn("registry_rows_behind", {{"model", key.name}, {"error", caught_up.error().message}});
        }
    }
    for (const journal::Hold& hold : or_config_error(store.holds(), kAttempt)) {
        pending_.add(offline_registry::model_of_lane(hold.lane));
        pending_.hold(hold);
        telemetry::log_warn("registry_conflict", {{"lane", hold.lane}, {"reason", hold.reason}});
    }
}

void OfflineRegistry::start(net::Worker& control) {
    for (std::size_t i = 0; i < kCallsAtOnce; ++i) {
        control.tasks().spawn("registry_courier", courier_->run());
    }
    control.tasks().spawn("registry_decisions", watch_decisions());
}

void OfflineRegistry::stop() {
    pace_.stop();
    sleeper_.wake_all();
    client_.stop();
}

base::Task<> OfflineRegistry::watch_decisions() {
    while (!pace_.is_stopping()) {
        co_await pace_.rest(kLookForDecisions);
        co_await courier_->note_decisions();
    }
}

offline_registry::OfflineModels OfflineRegistry::calls(net::Worker& worker) {
    return {{worker, replica_, journal_, pending_}, accepts_};
}

}  // namespace apps
