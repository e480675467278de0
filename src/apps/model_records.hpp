// Our own API of models: what is kept for it, who applies what waits, and its calls on one worker.
#pragma once

#include <memory>

#include "apps/internal_mlflow.hpp"
#include "apps/mlflow_calls.hpp"
#include "apps/part.hpp"
#include "apps/probes.hpp"
#include "apps/settings.hpp"
#include "base/clock.hpp"
#include "base/task.hpp"
#include "http/exchange.hpp"
#include "http/server_context.hpp"
#include "models/models_api.hpp"
#include "models/registrations.hpp"
#include "net/blocking_pool.hpp"
#include "net/worker.hpp"
#include "storage/sqlite_database.hpp"
#include "storage/sqlite_registration_store.hpp"
#include "storage/sqlite_run_facts.hpp"

namespace apps {

// Shared by all workers, which outlive it, as does whatever else it is given.
class ModelRecords final : public Part {
public:
    struct Deps {
        const http::ServerSettings& server;
        const base::Clock& clock;
        MlflowCalls::Deps mlflow;  // of the control worker, where registrations that wait are applied
    };

    // Opens the records, in the main database; blocks. Throws base::ConfigError when they can't be read.
    explicit ModelRecords(const Deps& deps);

    void start(net::Worker& control) override;
    void stop() override;

    [[nodiscard]] bool is_idle() const override {
        return pool_.is_idle();
    }

    void join() override {
        pool_.join();
    }

private:
    friend class ModelCalls;

    std::unique_ptr<storage::SqliteDatabase> registration_database_;
    std::unique_ptr<storage::SqliteDatabase> fact_database_;
    storage::SqliteRegistrationStore registration_store_;
    storage::SqliteRunFacts run_facts_;
    net::BlockingPool pool_;
    models::Registrations registrations_;
    MlflowCalls calls_;
    MlflowPaths paths_;
    WorkerSleeper sleeper_;
    models::RegistrationKeeper keeper_;
};

// The API's paths on one worker. Callers have been authorized.
class ModelCalls {
public:
    ModelCalls(ModelRecords& records, MlflowPaths paths, bool forwards_authorization);

    base::Task<> handle(http::Exchange& exchange);

private:
    base::Task<> answer(http::Exchange& exchange, models::Request request);
    [[nodiscard]] CallOrigin origin_of(const http::Exchange& exchange) const;

    MlflowPaths paths_;
    const bool forwards_authorization_;
    models::ModelsApi api_;
};

}  // namespace apps
