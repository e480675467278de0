// Copies an answer of MLflow into the cache while it is passed on to a client.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "artifacts/filling.hpp"
#include "base/task.hpp"
#include "mlflow/call_observer.hpp"
#include "net/blocking_pool.hpp"
#include "net/worker.hpp"

namespace artifacts {

// Lives on one worker. A copy that ends before finish() is no copy.
class ArtifactCopy final : public mlflow::AnswerCopy {
public:
    // When the disk is slower than the client: gives up, so that the client notices nothing, or lets it wait.
    enum class Haste { gives_up, waits };

    ArtifactCopy(
        net::Worker& worker, net::BlockingPool& pool, std::shared_ptr<Filling> filling, ArtifactHead head, Haste haste);
    ArtifactCopy(const ArtifactCopy&) = delete;
    ArtifactCopy& operator=(const ArtifactCopy&) = delete;
    ~ArtifactCopy() override;

    base::Task<> append(std::string_view piece) override;
    void finish() override;

private:
    struct State;

    static base::Task<> store(std::shared_ptr<State> state, net::Worker& worker, net::BlockingPool& pool);
    void queue_piece();

    const Haste haste_;
    std::shared_ptr<State> state_;  // shared with the task that writes
    std::string piece_;             // being filled up
};

}  // namespace artifacts
