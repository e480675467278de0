#include "replica/replica_metrics.hpp"

#include <functional>

namespace replica {

void export_replica(telemetry::Metrics& metrics, const Replica& replica) {
    const auto add_gauge = [&](const char* name, const char* help, double (*read)(const Replica&)) {
        metrics.gauge(name, help, {}, [&replica, read] { return read(replica); });
    };
    const auto add_rows = [&](const char* kind, std::int64_t registry::Counts::* count) {
        metrics.gauge("hokusai_replica_rows",
                      "Rows of the replica at the end of the last sweep.",
                      {{"kind", kind}},
                      [&replica, count] { return static_cast<double>(replica.status().counts.*count); });
    };
    add_gauge("hokusai_replica_complete",
              "1 when everything in MLflow's registry was read at least once.",
              [](const Replica& from) { return from.is_complete() ? 1.0 : 0.0; });
    add_gauge("hokusai_replica_revision", "Changes of rows since the replica was made.", [](const Replica& from) {
        return static_cast<double>(from.revision());
    });
    add_gauge("hokusai_replica_last_sweep_seconds", "How long the last sweep took.", [](const Replica& from) {
        const std::optional<SweepRecord> sweep = from.status().last_sweep;
        return sweep ? static_cast<double>(sweep->milliseconds) / 1000 : 0.0;
    });
    add_gauge("hokusai_replica_age_seconds",
              "Time since the last sweep began: what was written elsewhere later may be missing.",
              [](const Replica& from) {
                  const std::optional<SweepRecord> sweep = from.status().last_sweep;
                  const double now = base::to_epoch_seconds(from.clock().wall_now());
                  return sweep ? now - static_cast<double>(sweep->began) / 1000 : 0.0;
              });
    add_gauge("hokusai_replica_models_marked", "Models to be read again before all others.", [](const Replica& from) {
        return static_cast<double>(from.marked().size());
    });
    add_gauge("hokusai_replica_models_lost",
              "Models the replica doesn't answer for, because its store did not take a change of theirs.",
              [](const Replica& from) { return static_cast<double>(from.confirmations.lost()); });
    add_gauge("hokusai_replica_writes_waiting",
              "Writes that wait for another write of the same model.",
              [](const Replica& from) { return static_cast<double>(from.locks.waiting()); });
    add_rows("model", &registry::Counts::models);
    add_rows("version", &registry::Counts::versions);
    add_rows("alias", &registry::Counts::aliases);
}

}  // namespace replica
