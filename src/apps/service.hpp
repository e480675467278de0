// The running service: every object, who uses whom, and the order in which they begin and end.
#pragma once

#include <atomic>
#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "apps/key_access.hpp"
#include "apps/local_registry.hpp"
#include "apps/mlflow_artifacts.hpp"
#include "apps/mlflow_calls.hpp"
#include "apps/mlflow_replica.hpp"
#include "apps/model_records.hpp"
#include "apps/offline_registry.hpp"
#include "apps/offline_writes.hpp"
#include "apps/part.hpp"
#include "apps/probes.hpp"
#include "apps/registry_past.hpp"
#include "apps/resend_protection.hpp"
#include "apps/settings.hpp"
#include "apps/store.hpp"
#include "auth/key_refresher.hpp"
#include "auth/key_ring.hpp"
#include "base/clock.hpp"
#include "health/health_responder.hpp"
#include "health/monitor.hpp"
#include "http/router.hpp"
#include "http/server.hpp"
#include "mlflow/gateway.hpp"
#include "mlflow/mlflow_probe.hpp"
#include "mlflow/upstream.hpp"
#include "net/blocking_pool.hpp"
#include "net/name_resolver.hpp"
#include "net/worker.hpp"
#include "resilience/circuit_breaker.hpp"
#include "storage/data_directory.hpp"
#include "telemetry/metrics.hpp"

#include <boost/asio/signal_set.hpp>

namespace apps {

// Members stand in order of construction: each uses only those above it, and they are destroyed from below.
class Service {
public:
    // Opens the store, binds the address. Throws base::ConfigError when it can't start; nothing runs then.
    explicit Service(const ServiceSettings& settings);
    ~Service();
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    // Serves until SIGTERM or SIGINT, then drains. `on_ready` is called with the base URL once requests are answered,
    // `on_reload` at each SIGHUP; both on the calling thread. False when something did not end in its time (a name
    // look-up, a disk): the process must then exit without destroying the service, whose objects are still in use.
    using OnReady = std::function<void(const std::string& url)>;
    using OnReload = std::function<void()>;
    [[nodiscard]] bool run(const OnReady& on_ready, const OnReload& on_reload);

private:
    // MLflow, when it is configured.
    struct MlflowSide {
        MlflowSide(Service& service, const config::HttpUrl& url);

        net::NameResolver resolver;
        base::SeededRandom breaker_random;
        resilience::CircuitBreaker breaker;
        mlflow::Upstream upstream;
        mlflow::ProbeClient probe_client;
        mlflow::MlflowProbe probe;
        mlflow::DetailProbe experiments_probe;
        mlflow::DetailProbe metrics_probe;
        mlflow::DetailProbe artifacts_probe;
    };

    // What one worker answers with.
    class WorkerHandler;

    [[nodiscard]] health::Targets probe_targets();
    [[nodiscard]] std::unique_ptr<RegistryPast> make_past();
    [[nodiscard]] MlflowCalls::Deps mlflow_calls(net::Worker& worker);
    [[nodiscard]] std::unique_ptr<http::RequestHandler> make_handler(net::Worker& worker);
    void note_transition(const resilience::Transition& transition);
    void register_metrics();
    void load_keys();
    base::Task<> supervise(std::string url, OnReady on_ready, OnReload on_reload);
    base::Task<int> wait_for_end(const OnReload& on_reload);
    base::Task<> trim_memory();
    base::Task<> pause(base::Duration duration);
    base::Task<> shut_down(int signal);
    [[nodiscard]] bool is_idle() const;

    const ServiceSettings& settings_;
    const http::ServerSettings server_settings_;
    base::SystemClock clock_;
    telemetry::Metrics metrics_;
    std::atomic<health::Phase> phase_{health::Phase::starting};
    const std::string instance_;
    Store store_;
    storage::ServiceLock lock_;
    std::unique_ptr<storage::SqliteDatabase> probe_database_;
    auth::KeyRing key_ring_;
    mlflow::TrustedProxies trusted_proxies_;
    const health::Identity identity_;
    net::Worker control_;
    std::vector<std::unique_ptr<net::Worker>> workers_;
    net::BlockingPool pool_;
    net::BlockingPool probe_pool_;  // its own thread, so that slow work elsewhere is not taken for a dead store
    auth::KeyRefresher key_refresher_;
    std::unique_ptr<MlflowSide> mlflow_;
    std::unique_ptr<RegistryPast> past_;                 // with a registry of our own, or a copy of MLflow's
    std::unique_ptr<LocalRegistry> local_registry_;      // without MLflow
    std::unique_ptr<MlflowReplica> replica_;             // where one is wanted
    std::unique_ptr<OfflineWrites> offline_;             // with a journal
    std::unique_ptr<OfflineRegistry> offline_registry_;  // with both, the copy and the journal
    ResendProtection resends_;
    std::unique_ptr<MlflowArtifacts> artifacts_;  // where they are to be kept
    ModelRecords models_;
    std::vector<Part*> parts_;  // those of them that are there
    WorkerSleeper sleeper_;
    StoreProbe store_probe_;
    base::SeededRandom monitor_random_;
    health::Monitor monitor_;
    http::Server server_;
    boost::asio::signal_set signals_;
    bool has_ended_cleanly_ = false;
    std::atomic<health::Monitor*> listening_monitor_{nullptr};  // told of the breaker's changes once all exists
};

}  // namespace apps
