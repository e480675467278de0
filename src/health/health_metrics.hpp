// Health as Prometheus metrics, under the names existing dashboards read and our own. What the monitor counts by itself
// (hokusai_probes_total and the like) it registers when it is made.
#pragma once

#include "base/clock.hpp"
#include "health/monitor.hpp"
#include "telemetry/metrics.hpp"

namespace health {

// Registers gauges that read the monitor's last snapshot whenever `metrics` is rendered, so both outlive every scrape.
void export_health(telemetry::Metrics& metrics, Monitor& monitor, const base::Clock& clock);

}  // namespace health
