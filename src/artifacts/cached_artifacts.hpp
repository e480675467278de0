// Artifact calls of one worker, in front of the gateway: MLflow answers them as long as it does, the cache otherwise.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>

#include "artifacts/artifact_cache.hpp"
#include "base/task.hpp"
#include "http/exchange.hpp"
#include "mlflow/call_observer.hpp"
#include "net/blocking_pool.hpp"
#include "net/worker.hpp"

namespace artifacts {

// A request with this field wants what it reads to be cached, even if it has to wait for the disk.
inline constexpr std::string_view kPrefetchField = "X-Hokusai-Prefetch";

// Lives on one worker; what it refers to outlives it.
class CachedArtifacts {
public:
    struct Deps {
        net::Worker& worker;
        net::BlockingPool& pool;
        ArtifactCache& cache;
        std::function<base::Task<>(http::Exchange&, mlflow::CallObserver&)> ask_mlflow;
        std::function<base::Task<>(http::Exchange&, mlflow::CallObserver*)> pass_on;  // for all other calls
    };

    explicit CachedArtifacts(Deps deps) : deps_(std::move(deps)) {}

    // Answers any of MLflow's paths. `observer` is told of what is no read of an artifact, and may be null.
    base::Task<> handle(http::Exchange& exchange, mlflow::CallObserver* observer = nullptr);

private:
    class Observer;

    base::Task<> read(http::Exchange& exchange, storage::ArtifactKey key);
    base::Task<> write(http::Exchange& exchange, std::string path, mlflow::CallObserver* observer);
    base::Task<> hand_out(http::Exchange& exchange, const OpenArtifact& artifact, std::string piece);

    const Deps deps_;
    std::size_t handing_out_ = 0;
};

}  // namespace artifacts
