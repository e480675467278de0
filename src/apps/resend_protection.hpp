// Safe resends: the journal of intents, what is shared of it, and the way of a protected call through one worker.
#pragma once

#include <memory>
#include <optional>

#include "apps/local_registry.hpp"
#include "apps/offline_registry.hpp"
#include "apps/part.hpp"
#include "apps/probes.hpp"
#include "apps/settings.hpp"
#include "auth/key_hash.hpp"
#include "base/clock.hpp"
#include "base/task.hpp"
#include "http/exchange.hpp"
#include "idempotency_http/intent_book.hpp"
#include "idempotency_http/intent_keeper.hpp"
#include "idempotency_http/resend_guard.hpp"
#include "idempotency_http/settler.hpp"
#include "mlflow/upstream.hpp"
#include "mlflow/upstream_client.hpp"
#include "net/blocking_pool.hpp"
#include "net/worker.hpp"
#include "replica/registry_client.hpp"
#include "storage/sqlite_intent_journal.hpp"
#include "telemetry/metrics.hpp"

namespace apps {

// Where creates go: one of the two.
struct RegistryBehind {
    const mlflow::Upstream* mlflow = nullptr;
    LocalRegistry* local = nullptr;
    OfflineRegistry* offline = nullptr;  // with `mlflow`: has what that was not told yet; may be null
};

// Asks that registry, on one worker, which outlives it, as does the registry.
class RegistryQuestions {
public:
    RegistryQuestions(net::Worker& worker, net::BlockingPool& pool, RegistryBehind registry);

    [[nodiscard]] idempotency::Settler::Deps settler_deps(idempotency::IntentBook& book);

    void stop();

private:
    base::Task<base::Result<mlflow::UpstreamAnswer>> get(mlflow::UpstreamClient::Question question);
    base::Task<base::Result<mlflow::UpstreamAnswer>> ask_here(registry::Call call, replica::CallTarget target);
    [[nodiscard]] bool is_reachable() const;
    base::Task<> pause(base::Duration duration);

    net::Worker& worker_;
    const RegistryBehind registry_;
    std::optional<mlflow::UpstreamClient> client_;  // of MLflow
    replica::RegistryClient reader_;
};

// Shared by all workers, which outlive it, as does whatever else it is given.
class ResendProtection final : public Part {
public:
    struct Deps {
        const ServiceSettings& settings;
        RegistryBehind registry;
        net::Worker& control;
        const base::Clock& clock;
        telemetry::Metrics& metrics;
    };

    // Opens the journal, in the main database; blocks. Throws base::ConfigError when it can't be read.
    explicit ResendProtection(const Deps& deps);

    void start(net::Worker& control) override;
    void stop() override;

    // What creates were answered said of the model is not what MLflow says of it by now.
    void forget_baseline(const registry::ModelKey& model) {
        book_.note_baseline(model, std::nullopt);
    }

    [[nodiscard]] bool is_idle() const override {
        return pool_.is_idle();
    }

    // Writes what is left besides.
    void join() override;

private:
    friend class ProtectedCalls;

    std::unique_ptr<storage::SqliteDatabase> database_;
    storage::SqliteIntentJournal journal_;
    std::unique_ptr<net::BlockingPool> own_pool_;  // with MLflow
    net::BlockingPool& pool_;
    const RegistryBehind registry_;
    idempotency::IntentBook book_;
    WorkerSleeper sleeper_;
    RegistryQuestions questions_;
    idempotency::Settler settler_;
    idempotency::IntentKeeper keeper_;
};

// MLflow's paths on one worker, before whatever answers them.
class ProtectedCalls {
public:
    ProtectedCalls(ResendProtection& protection,
                   net::Worker& worker,
                   const auth::Pepper& pepper,
                   idempotency::ResendGuard::Forward forward,
                   bool has_stand_in);

    base::Task<> handle(http::Exchange& exchange);

private:
    RegistryQuestions questions_;
    idempotency::Settler settler_;
    idempotency::ResendGuard::Forward forward_;
    idempotency::ResendGuard guard_;
};

}  // namespace apps
