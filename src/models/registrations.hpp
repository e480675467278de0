// Accepts registrations, and sees to it that each becomes a version once.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"
#include "models/mlflow_api.hpp"
#include "models/outcome.hpp"
#include "models/registrar.hpp"
#include "models/registration.hpp"
#include "models/registration_book.hpp"
#include "net/blocking_pool.hpp"
#include "net/worker.hpp"

namespace models {

// Shared by all workers. What it refers to outlives it.
class Registrations {
public:
    struct Deps {
        RegistrationStore& store;
        net::BlockingPool& pool;
        const base::Clock& clock;
        bool applies_later = true;  // false: only the caller's own credentials count, and are not kept
    };

    explicit Registrations(Deps deps) : deps_(deps) {}

    // What waits from before. Blocks.
    base::Result<void> load();

    // Durable when it returns; applied, too, if that is possible within seconds; afterwards `mlflow` may be aborted.
    // 503 when it could not be kept, 422 when the same Idempotency-Key came with another registration, or MLflow
    // refused it.
    base::Task<Outcome<Registration>> accept(net::Worker& worker, MlflowApi& mlflow, Registration registration);

    base::Task<Outcome<Registration>> find(net::Worker& worker, std::string id);

    // The next one that is due, now the caller's to apply().
    struct Turn {
        Registration registration;
        unsigned doubts = 0;
    };

    base::Task<std::optional<Turn>> take(net::Worker& worker);

    // As it is known afterwards: still pending when it could not be applied now.
    base::Task<Registration> apply(net::Worker& worker, MlflowApi& mlflow, Turn turn, Attempt attempt);

    [[nodiscard]] std::size_t waiting() const {
        return book_.size();
    }

private:
    base::Task<base::Result<void>> settle(net::Worker& worker, Registration registration);

    Deps deps_;
    RegistrationBook book_;
};

// Applies what waits, on one worker, as long as MLflow can be reached.
class RegistrationKeeper {
public:
    struct Deps {
        net::Worker& worker;
        Registrations& registrations;
        std::function<bool()> is_reachable;
        std::function<base::Task<>(base::Duration)> rest;
        // In the name of whoever registered it: MLflow must see the caller of the first attempt again, so that what
        // protects resends can tell that it is one.
        std::function<std::unique_ptr<MlflowApi>(const Registration&)> mlflow_for;
    };

    explicit RegistrationKeeper(Deps deps) : deps_(std::move(deps)) {}

    base::Task<> run();

    // Ends what is under way; whoever rests has to be woken besides.
    void stop();

private:
    base::Task<bool> apply_next();

    Deps deps_;
    std::unique_ptr<MlflowApi> mlflow_;  // of the one being applied
    bool is_stopping_ = false;
};

}  // namespace models
