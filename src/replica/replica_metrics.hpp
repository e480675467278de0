// What the replica tells about itself to whoever scrapes.
#pragma once

#include "replica/replica.hpp"
#include "telemetry/metrics.hpp"

namespace replica {

// `replica` outlives the metrics' readers.
void export_replica(telemetry::Metrics& metrics, const Replica& replica);

}  // namespace replica
