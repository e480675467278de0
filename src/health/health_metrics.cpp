#include "health/health_metrics.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace health {

namespace {

using resilience::BreakerState;

// 0 CLOSED, 1 HALF_OPEN, 2 OPEN: the order dashboards use.
double state_number(BreakerState state) {
    switch (state) {
        case BreakerState::closed:
            return 0.0;
        case BreakerState::half_open:
            return 1.0;
        case BreakerState::open:
            break;
    }
    return 2.0;
}

double breaker_number(const Snapshot& snapshot, base::MonotonicTime) {
    const MlflowEndpoint* leading = leading_endpoint(snapshot);
    return leading == nullptr ? 0.0 : state_number(leading->breaker.state);
}

double mlflow_connected(const Snapshot& snapshot, base::MonotonicTime now) {
    const bool is_connected = std::ranges::any_of(
        snapshot.mlflow, [now](const MlflowEndpoint& endpoint) { return endpoint.is_connected(now); });
    return is_connected ? 1.0 : 0.0;
}

// The sum over all addresses.
double sum_mlflow(const Snapshot& snapshot, const std::function<std::uint64_t(const MlflowEndpoint&)>& figure) {
    std::uint64_t sum = 0;
    for (const MlflowEndpoint& endpoint : snapshot.mlflow) {
        sum += figure(endpoint);
    }
    return static_cast<double>(sum);
}

// A figure of the dependency's check; of MLflow, the sum over its addresses.
double check_figure(const Snapshot& snapshot,
                    std::string_view name,
                    std::uint64_t CheckFacts::* figure,
                    base::MonotonicTime now) {
    if (name == "mlflow") {
        return sum_mlflow(snapshot, [figure](const MlflowEndpoint& endpoint) { return endpoint.check.*figure; });
    }
    const std::vector<NamedCheck> checks = all_checks(snapshot, now);
    const auto found = std::ranges::find(checks, name, &NamedCheck::name);
    return found == checks.end() || found->check == nullptr ? 0.0 : static_cast<double>(found->check->*figure);
}

double is_up(const Snapshot& snapshot, std::string_view name, base::MonotonicTime now) {
    const std::vector<NamedCheck> checks = all_checks(snapshot, now);
    const auto found = std::ranges::find(checks, name, &NamedCheck::name);
    return found != checks.end() && found->status == Status::healthy ? 1.0 : 0.0;
}

// Reads of one monitor, made into the functions the registry calls.
class Exporter {
public:
    Exporter(telemetry::Metrics& metrics, Monitor& monitor, const base::Clock& clock)
        : metrics_(metrics), monitor_(monitor), clock_(clock) {}

    using Read = std::function<double(const Snapshot&, base::MonotonicTime)>;

    void gauge(std::string_view name, std::string_view help, const telemetry::Labels& labels, Read read) {
        metrics_.gauge(name, help, labels, bind(std::move(read)));
    }

    void counter(std::string_view name, std::string_view help, const telemetry::Labels& labels, Read read) {
        metrics_.counter_from(name, help, labels, bind(std::move(read)));
    }

private:
    [[nodiscard]] std::function<double()> bind(Read read) {
        return [&monitor = monitor_, &clock = clock_, read = std::move(read)] {
            const base::MonotonicTime now = clock.now();
            return read(*monitor.current(now), now);
        };
    }

    telemetry::Metrics& metrics_;
    Monitor& monitor_;
    const base::Clock& clock_;
};

void export_mlflow(Exporter& exporter, const Snapshot& snapshot) {
    exporter.gauge("mlflow_circuit_breaker_state", "0 CLOSED, 1 HALF_OPEN, 2 OPEN", {}, breaker_number);
    exporter.gauge("mlflow_connection_status", "1 while MLflow answers and traffic may pass", {}, mlflow_connected);
    exporter.counter("mlflow_connection_attempts_total", "Probes of MLflow", {}, [](const Snapshot& now, auto) {
        return check_figure(now, "mlflow", &CheckFacts::probes_total, {});
    });
    exporter.counter("mlflow_connection_failures_total", "Failed probes of MLflow", {}, [](const Snapshot& now, auto) {
        return check_figure(now, "mlflow", &CheckFacts::failures_total, {});
    });
    exporter.counter("mlflow_circuit_breaker_failures_total",
                     "Failures the breaker was told, by traffic and by probes",
                     {},
                     [](const Snapshot& now, auto) {
                         return sum_mlflow(now, [](const MlflowEndpoint& one) { return one.breaker.failures_total; });
                     });
    for (const MlflowEndpoint& endpoint : snapshot.mlflow) {
        exporter.gauge("mlflow_info_info",
                       "Configured MLflow addresses",
                       {{"tracking_uri", endpoint.url}},
                       [](const Snapshot&, auto) { return 1.0; });
    }
}

void export_trials(Exporter& exporter) {
    static constexpr std::array kOutcomes{std::pair{"success", &TrialCounts::succeeded},
                                          std::pair{"failure", &TrialCounts::failed},
                                          std::pair{"undecided", &TrialCounts::undecided}};
    for (const auto& [label, count] : kOutcomes) {
        exporter.counter("hokusai_recovery_attempts_total",
                         "Half-open trials of a breaker made by probes",
                         {{"dependency", "mlflow"}, {"outcome", label}},
                         [figure = count](const Snapshot& now, auto) {
                             return sum_mlflow(now, [figure](const MlflowEndpoint& one) { return one.trials.*figure; });
                         });
    }
}

void export_dependency(Exporter& exporter, std::string_view name) {
    const telemetry::Labels labels{{"dependency", std::string(name)}};
    exporter.gauge("hokusai_dependency_up",
                   "1 while the dependency is healthy",
                   labels,
                   [name](const Snapshot& snapshot, base::MonotonicTime now) { return is_up(snapshot, name, now); });
    exporter.counter("hokusai_probes_total",
                     "Health probes made",
                     labels,
                     [name](const Snapshot& snapshot, base::MonotonicTime now) {
                         return check_figure(snapshot, name, &CheckFacts::probes_total, now);
                     });
    exporter.counter("hokusai_probe_failures_total",
                     "Health probes that failed",
                     labels,
                     [name](const Snapshot& snapshot, base::MonotonicTime now) {
                         return check_figure(snapshot, name, &CheckFacts::failures_total, now);
                     });
}

}  // namespace

void export_health(telemetry::Metrics& metrics, Monitor& monitor, const base::Clock& clock) {
    Exporter exporter(metrics, monitor, clock);
    const std::shared_ptr<const Snapshot> snapshot = monitor.current(clock.now());
    export_mlflow(exporter, *snapshot);
    export_trials(exporter);
    for (const NamedCheck& item : all_checks(*snapshot, clock.now())) {
        if (item.check != nullptr) {
            export_dependency(exporter, item.name);
        }
    }
    for (const Status status : {Status::healthy, Status::degraded, Status::recovering, Status::unhealthy}) {
        exporter.counter("hokusai_health_seconds_total",
                         "Time the service has spent in each state",
                         {{"status", std::string(to_string(status))}},
                         [&monitor, status](const Snapshot&, base::MonotonicTime now) {
                             return std::chrono::duration<double>(monitor.time_in(status, now)).count();
                         });
    }
    exporter.gauge("process_resident_memory_bytes", "Resident memory size in bytes", {}, [](const Snapshot& now, auto) {
        return now.process.resident_bytes;
    });
}

}  // namespace health
