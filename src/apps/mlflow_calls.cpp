#include "apps/mlflow_calls.hpp"

namespace apps {

MlflowCalls::MlflowCalls(const Deps& deps)
    : protected_(
          deps.resends,
          deps.worker,
          deps.pepper,
          [this](http::Exchange& exchange, mlflow::CallObserver* observer) {
              return handle_unprotected(exchange, observer);
          },
          deps.offline_registry != nullptr && deps.settings.offline.accepts_writes) {
    if (deps.local != nullptr) {
        standalone_.emplace(*deps.local, deps.past->loads().notes(deps.worker.index()), deps.metrics);
        return;
    }
    gateway_.emplace(deps.worker, *deps.upstream, deps.trusted_proxies, deps.metrics);
    if (deps.offline_registry != nullptr) {
        models_.emplace(deps.offline_registry->calls(deps.worker));
    }
    if (deps.replica != nullptr) {
        replicated_.emplace(*deps.replica,
                            deps.worker,
                            *deps.upstream,
                            *gateway_,
                            deps.settings.replica,
                            deps.metrics,
                            deps.past->loads().notes(deps.worker.index()),
                            models_ ? &*models_ : nullptr);
    }
    if (deps.offline != nullptr) {
        runs_.emplace(deps.offline->calls(deps.worker, *gateway_));
    }
    if (deps.artifacts != nullptr) {
        artifacts_.emplace(deps.artifacts->calls_of(
            deps.worker, *gateway_, [this](http::Exchange& exchange, mlflow::CallObserver* observer) {
                return handle_registry(exchange, observer);
            }));
    }
}

bool MlflowCalls::try_answer(http::Exchange& exchange) {
    return standalone_ ? standalone_->try_answer(exchange) : replicated_ ? replicated_->try_answer(exchange) : false;
}

base::Task<> MlflowCalls::handle_unprotected(http::Exchange& exchange, mlflow::CallObserver* observer) {
    if (standalone_) {
        return standalone_->handle(exchange, observer);
    }
    if (runs_ && offline::OfflineRuns::concerns(exchange.request())) {
        return runs_->handle(exchange, observer);
    }
    return artifacts_ ? artifacts_->handle(exchange, observer) : handle_registry(exchange, observer);
}

base::Task<> MlflowCalls::handle_registry(http::Exchange& exchange, mlflow::CallObserver* observer) {
    return replicated_ ? replicated_->handle(exchange, observer) : gateway_->handle(exchange, observer);
}

}  // namespace apps
