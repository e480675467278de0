#include "apps/service.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "apps/build_info.hpp"
#include "apps/module_settings.hpp"
#include "apps/routes.hpp"
#include "auth/key_issuing.hpp"
#include "health/health_metrics.hpp"
#include "telemetry/log.hpp"

#include <fmt/format.h>

namespace apps {

namespace {

constexpr auto kProbeBusyTimeout = std::chrono::milliseconds(500);
constexpr std::size_t kPoolCapacity = 256;

std::vector<std::unique_ptr<net::Worker>> make_workers(std::uint32_t count, const base::Clock& clock) {
    const std::size_t threads = count > 0 ? count : std::max(1U, std::thread::hardware_concurrency());
    std::vector<std::unique_ptr<net::Worker>> workers;
    for (std::size_t i = 0; i < threads; ++i) {
        workers.push_back(std::make_unique<net::Worker>(fmt::format("worker-{}", i), i, clock));
    }
    return workers;
}

std::vector<net::Worker*> pointers_to(const std::vector<std::unique_ptr<net::Worker>>& workers) {
    std::vector<net::Worker*> pointers;
    for (const auto& worker : workers) {
        pointers.push_back(worker.get());
    }
    return pointers;
}

}  // namespace

// Owns what a worker's routes refer to.
class Service::WorkerHandler final : public http::RequestHandler {
public:
    WorkerHandler(Service& service, net::Worker& worker)
        : access_({service.key_ring_,
                   service.store_.pepper,
                   service.key_refresher_,
                   service.settings_.auth.mode == AuthMode::required,
                   service.settings_.mlflow.forward_auth}),
          health_(service.monitor_, service.identity_),
          mlflow_(service.mlflow_calls(worker)),
          models_(service.models_,
                  {worker,
                   service.server_settings_,
                   service.mlflow_ ? &service.mlflow_->upstream : nullptr,
                   [this](http::Exchange& exchange) { return mlflow_.handle(exchange); }},
                  service.settings_.mlflow.forward_auth),
          router_({access_, service.metrics_, service.settings_.http.cors_origins},
                  make_routes({health_,
                               service.monitor_,
                               service.phase_,
                               service.metrics_,
                               [this](http::Exchange& exchange) { return mlflow_.try_answer(exchange); },
                               [this](http::Exchange& exchange) { return mlflow_.handle(exchange); },
                               [this](http::Exchange& exchange) { return models_.handle(exchange); },
                               service.mlflow_ ? &service.mlflow_->breaker : nullptr,
                               service.store_.audit_log,
                               service.pool_,
                               service.past_.get()})) {}

    bool try_answer(http::Exchange& exchange) override {
        return router_.try_answer(exchange);
    }

    base::Task<> handle(http::Exchange& exchange) override {
        return router_.handle(exchange);
    }

    [[nodiscard]] bool is_health(const http::RequestHead& request) const override {
        return router_.is_health(request);
    }

    void finished(const http::Exchange& exchange, base::Duration elapsed) override {
        router_.finished(exchange, elapsed);
    }

private:
    KeyAccess access_;
    health::HealthResponder health_;
    MlflowCalls mlflow_;
    ModelCalls models_;
    http::Router router_;
};

Service::MlflowSide::MlflowSide(Service& service, const config::HttpUrl& url)
    : resolver(service.control_, url.host, url.port, to_resolver_settings(service.settings_.mlflow)),
      breaker_random(base::system_seed()),
      breaker("mlflow",
              to_breaker_settings(service.settings_.breaker, service.settings_.health.deadline),
              breaker_random,
              service.clock_.now(),
              [&service](const resilience::Transition& transition) { service.note_transition(transition); }),
      upstream(
          to_upstream_settings(service.settings_, url), service.instance_, resolver, breaker, service.clock_.now()),
      probe_client(service.control_, upstream, service.settings_.health.deadline),
      probe(probe_client),
      experiments_probe(probe_client, "/api/2.0/mlflow/experiments/search?max_results=1", false),
      metrics_probe(probe_client, "/api/2.0/mlflow/metrics/get-history", true),
      artifacts_probe(probe_client, "/api/2.0/mlflow-artifacts/artifacts", true) {}

Service::Service(const ServiceSettings& settings)
    : settings_(settings),
      server_settings_(to_server_settings(settings)),
      instance_(fmt::format("{:08x}", static_cast<std::uint32_t>(base::system_seed()))),
      store_(settings),
      lock_(
          or_config_error(storage::ServiceLock::acquire(settings.data_dir), "cannot serve from " + settings.data_dir)),
      probe_database_(or_config_error(storage::SqliteDatabase::open(database_path(settings), kProbeBusyTimeout),
                                      "cannot open the store")),
      trusted_proxies_(settings.http.trusted_proxies),
      identity_(to_identity(settings, clock_.now())),
      control_("control", 0, clock_),
      workers_(make_workers(settings.server.threads, clock_)),
      pool_(2, kPoolCapacity),
      probe_pool_(1, 2),
      key_refresher_(control_, pool_, store_.keys, key_ring_),
      mlflow_(settings.mlflow.urls.empty() ? nullptr
                                           : std::make_unique<MlflowSide>(*this, settings.mlflow.urls.front())),
      past_(make_past()),
      local_registry_(mlflow_ ? nullptr : std::make_unique<LocalRegistry>(database_path(settings), clock_)),
      replica_(wants_replica(settings) ? std::make_unique<MlflowReplica>(MlflowReplica::Deps{
                                             settings, mlflow_->upstream, control_, clock_, metrics_, *past_})
                                       : nullptr),
      offline_(wants_offline_writes(settings) ? std::make_unique<OfflineWrites>(OfflineWrites::Deps{
                                                    settings, mlflow_->upstream, control_, clock_, metrics_})
                                              : nullptr),
      offline_registry_(replica_ && offline_
                            ? std::make_unique<OfflineRegistry>(OfflineRegistry::Deps{
                                  settings,
                                  mlflow_->upstream,
                                  *replica_,
                                  *offline_,
                                  control_,
                                  clock_,
                                  metrics_,
                                  [this](const registry::ModelKey& model) { resends_.forget_baseline(model); }})
                            : nullptr),
      resends_({settings,
                {.mlflow = mlflow_ ? &mlflow_->upstream : nullptr,
                 .local = local_registry_.get(),
                 .offline = offline_registry_.get()},
                control_,
                clock_,
                metrics_}),
      artifacts_(wants_artifacts(settings) ? std::make_unique<MlflowArtifacts>(MlflowArtifacts::Deps{
                                                 settings, mlflow_->upstream, *replica_, control_, clock_, metrics_})
                                           : nullptr),
      models_({server_settings_, clock_, mlflow_calls(control_)}),
      sleeper_(control_),
      store_probe_(control_, probe_pool_, *probe_database_, settings.health.deadline),
      monitor_random_(base::system_seed()),
      monitor_(probe_targets(), to_monitor_settings(settings.health), {clock_, sleeper_, monitor_random_, metrics_}),
      server_(control_,
              pointers_to(workers_),
              server_settings_,
              metrics_,
              [this](net::Worker& worker) { return make_handler(worker); }),
      signals_(control_.context(), SIGINT, SIGTERM, SIGHUP) {
    const std::initializer_list<Part*> parts{local_registry_.get(),
                                             replica_.get(),
                                             past_.get(),
                                             offline_.get(),
                                             offline_registry_.get(),
                                             artifacts_.get(),
                                             &resends_,
                                             &models_};
    std::ranges::copy_if(parts, std::back_inserter(parts_), [](const Part* part) { return part != nullptr; });
    load_keys();
    register_metrics();
    listening_monitor_.store(&monitor_);
    if (settings.artifacts.cache_size > 0 && !artifacts_) {
        telemetry::log_warn("artifact_cache_off",
                            {{"reason", "it needs MLflow, mlflow.serve_artifacts and the replica (replica.mode)"}});
    }
}

Service::~Service() {
    listening_monitor_.store(nullptr);
    for (const auto& worker : workers_) {
        worker->stop();
    }
    control_.stop();
    pool_.join();
    probe_pool_.join();
    for (Part* part : parts_) {
        part->join();
    }
}

std::unique_ptr<RegistryPast> Service::make_past() {
    if (mlflow_ && !wants_replica(settings_)) {
        return nullptr;
    }
    const std::string registry = mlflow_ ? config::to_text(settings_.mlflow.urls.front()) : std::string();
    return std::make_unique<RegistryPast>(settings_, registry, control_, workers_.size());
}

void Service::load_keys() {
    auth::KeyHasher hasher(store_.pepper);
    if (!settings_.auth.bootstrap_admin_key.is_empty()) {
        or_config_error(
            auth::ensure_bootstrap_key(store_.keys, hasher, settings_.auth.bootstrap_admin_key, clock_.wall_now()),
            "HOKUSAI_BOOTSTRAP_ADMIN_KEY");
    }
    key_ring_.publish(or_config_error(store_.keys.load_all(), "cannot read the API keys"));
}

health::Targets Service::probe_targets() {
    health::Targets targets{{store_probe_, "sqlite", database_path(settings_).filename().string()}, {}};
    if (mlflow_) {
        const std::string url = config::to_text(settings_.mlflow.urls.front());
        targets.mlflow.push_back({url, mlflow_->probe, mlflow_->breaker});
        targets.details.push_back({"experiments_api", url, mlflow_->experiments_probe});
        targets.details.push_back({"metrics_history", url, mlflow_->metrics_probe});
        targets.details.push_back({"artifacts", url, mlflow_->artifacts_probe});
    }
    return targets;
}

MlflowCalls::Deps Service::mlflow_calls(net::Worker& worker) {
    return {settings_,
            worker,
            store_.pepper,
            trusted_proxies_,
            metrics_,
            mlflow_ ? &mlflow_->upstream : nullptr,
            past_.get(),
            local_registry_.get(),
            replica_.get(),
            offline_.get(),
            offline_registry_.get(),
            artifacts_.get(),
            resends_};
}

std::unique_ptr<http::RequestHandler> Service::make_handler(net::Worker& worker) {
    return std::make_unique<WorkerHandler>(*this, worker);
}

void Service::note_transition(const resilience::Transition& transition) {
    telemetry::log_warn("breaker_changed",
                        {{"breaker", transition.name},
                         {"from", resilience::to_string(transition.from)},
                         {"to", resilience::to_string(transition.to)},
                         {"cause", resilience::to_string(transition.cause)}});
    if (health::Monitor* monitor = listening_monitor_.load()) {
        monitor->refresh(transition.at);
        if (transition.to == resilience::BreakerState::open) {
            mlflow_->upstream.turn_away_waiting();
        }
    }
}

void Service::register_metrics() {
    health::export_health(metrics_, monitor_, clock_);
    metrics_.gauge("hokusai_build_info",
                   "Always 1; the labels say what runs.",
                   {{"version", kVersion}, {"commit", kGitCommit}},
                   [] { return 1.0; });
    if (!mlflow_) {
        return;
    }
    const auto add_gate = [this](const char* gate, const mlflow::AdmissionGate& source) {
        const auto add_gauge =
            [&](const char* name, const char* help, std::size_t mlflow::AdmissionGate::Figures::* figure) {
                metrics_.gauge(name, help, {{"gate", gate}}, [this, &source, figure] {
                    return static_cast<double>(source.figures(clock_.now()).*figure);
                });
            };
        using Figures = mlflow::AdmissionGate::Figures;
        add_gauge("hokusai_mlflow_concurrency_limit", "Calls to MLflow that may be under way.", &Figures::limit);
        add_gauge("hokusai_mlflow_calls_in_flight", "Calls to MLflow under way.", &Figures::in_flight);
        add_gauge("hokusai_mlflow_calls_queued", "Calls that wait for a place.", &Figures::queued);
        for (const mlflow::GateRefusal reason : mlflow::kGateRefusals) {
            metrics_.counter_from("hokusai_mlflow_calls_refused_total",
                                  "Calls that got no place, by reason.",
                                  {{"gate", gate}, {"reason", std::string(mlflow::to_string(reason))}},
                                  [this, &source, reason] {
                                      return static_cast<double>(source.figures(clock_.now()).refused_for(reason));
                                  });
        }
    };
    add_gate("api", mlflow_->upstream.api_gate);
    add_gate("bulk", mlflow_->upstream.bulk_gate);
}

}  // namespace apps
