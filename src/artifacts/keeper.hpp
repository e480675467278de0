// Fetches in the background what aliases lead to, so that it is here before MLflow fails.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "artifacts/artifact_cache.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"
#include "mlflow/pace.hpp"
#include "mlflow/upstream_client.hpp"
#include "net/blocking_pool.hpp"
#include "net/worker.hpp"

namespace artifacts {

// MLflow's artifacts, asked over HTTP.
class ArtifactSource {
public:
    using Receiver = mlflow::UpstreamClient::Receiver;

    virtual ~ArtifactSource() = default;

    // The status of the answer. The body of a 200 goes to `receiver`.
    virtual base::Task<base::Result<unsigned>> fetch(std::string target, Receiver& receiver) = 0;
};

// Lives on one worker.
class Keeper {
public:
    struct Deps {
        net::Worker& worker;
        net::BlockingPool& pool;
        ArtifactCache& cache;
        ArtifactSource& source;
        mlflow::Pace& pace;
        std::function<base::Result<std::vector<storage::Pin>>()> aliased_folders;  // blocks
        std::function<std::int64_t()> revision;  // another one: aliases may lead elsewhere
    };

    explicit Keeper(Deps deps) : deps_(std::move(deps)) {}

    // Until stopped and woken.
    base::Task<> run();

    void stop() {
        deps_.pace.stop();
    }

    // Looks where aliases lead, and fetches what is missing there. What run() repeats.
    base::Task<> do_next();

private:
    class Transfer;
    struct Walk;

    base::Task<base::Result<void>> update_pins();
    base::Task<base::Result<void>> fetch_missing();
    base::Task<base::Result<void>> fetch_folder(storage::Pin pin);
    base::Task<base::Result<void>> visit(std::string folder, Walk& walk);
    base::Task<base::Result<void>> fetch_file(std::string path, std::optional<std::int64_t> size);
    base::Task<base::Result<std::string>> fetch(storage::ArtifactKey key);

    template <class Job>
    auto block(Job job) {
        return deps_.pool.run(deps_.worker, std::chrono::seconds(60), std::move(job));
    }

    const Deps deps_;
    std::optional<std::int64_t> seen_revision_;
    std::optional<base::MonotonicTime> server_info_at_;
    base::MonotonicTime retry_at_{};
};

}  // namespace artifacts
