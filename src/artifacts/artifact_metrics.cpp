#include "artifacts/artifact_metrics.hpp"

namespace artifacts {

namespace {

telemetry::Counter& request_counter(telemetry::Metrics& metrics, const char* result) {
    return metrics.counter("hokusai_artifact_cache_requests_total",
                           "Requests MLflow did not answer, by whether the cache could.",
                           {{"result", result}});
}

telemetry::Counter& copy_counter(telemetry::Metrics& metrics, const char* outcome) {
    return metrics.counter("hokusai_artifact_cache_copies_total",
                           "Artifacts on their way into the cache, by what became of them.",
                           {{"outcome", outcome}});
}

}  // namespace

CacheMetrics::CacheMetrics(telemetry::Metrics& metrics, std::int64_t limit)
    : hits(request_counter(metrics, "hit")),
      misses(request_counter(metrics, "miss")),
      evictions(metrics.counter("hokusai_artifact_cache_evictions_total", "Entries that had to make room.")),
      corrupt(metrics.counter("hokusai_artifact_cache_corrupt_total",
                              "Files that did not hold what was written, and were dropped.")),
      copies_kept(copy_counter(metrics, "kept")),
      copies_dropped(copy_counter(metrics, "dropped")),
      copies_failed(copy_counter(metrics, "failed")) {
    const auto add_gauge = [&](const char* name, const char* help, const std::atomic<std::int64_t>& value) {
        metrics.gauge(name, help, {}, [&value] { return static_cast<double>(value.load()); });
    };
    add_gauge("hokusai_artifact_cache_bytes", "What the cache takes on the disk.", bytes);
    add_gauge("hokusai_artifact_cache_entries", "Files, listings and look-ups in the cache.", entries);
    add_gauge("hokusai_artifact_cache_pinned_bytes", "Of it, what aliases lead to.", pinned_bytes);
    add_gauge("hokusai_artifact_cache_folders_pinned", "Artifact folders that aliases lead to.", pins);
    add_gauge("hokusai_artifact_cache_folders_whole", "Of them, those that are here as a whole.", pins_whole);
    metrics.gauge("hokusai_artifact_cache_limit_bytes", "What the cache may take.", {}, [limit] {
        return static_cast<double>(limit);
    });
}

}  // namespace artifacts
