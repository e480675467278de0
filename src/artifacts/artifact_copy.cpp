#include "artifacts/artifact_copy.hpp"

#include <algorithm>
#include <utility>

#include "net/use_task.hpp"
#include "telemetry/log.hpp"

#include <boost/asio/steady_timer.hpp>

namespace artifacts {

namespace {

constexpr std::size_t kMaxQueued = 4;  // pieces in memory, besides the one being written
constexpr auto kDiskLimit = std::chrono::seconds(60);

}  // namespace

struct ArtifactCopy::State {
    State(net::Worker& worker, std::shared_ptr<Filling> filled, ArtifactHead answered)
        : filling(std::move(filled)), head(std::move(answered)), changed(worker.context()) {}

    enum class End { none, whole, broken };

    void notify() {
        changed.cancel();
    }

    base::Task<> wait() {
        changed.expires_at(boost::asio::steady_timer::time_point::max());
        co_await changed.async_wait(net::use_task);
    }

    std::shared_ptr<Filling> filling;
    ArtifactHead head;
    std::deque<std::string> queue;
    End end = End::none;
    bool is_over = false;  // nothing more is taken
    boost::asio::steady_timer changed;
};

ArtifactCopy::ArtifactCopy(
    net::Worker& worker, net::BlockingPool& pool, std::shared_ptr<Filling> filling, ArtifactHead head, Haste haste)
    : haste_(haste), state_(std::make_shared<State>(worker, std::move(filling), std::move(head))) {
    worker.tasks().spawn("artifact_copy", store(state_, worker, pool));
}

ArtifactCopy::~ArtifactCopy() {
    if (state_->end == State::End::none) {
        state_->end = State::End::broken;
    }
    state_->notify();
}

base::Task<> ArtifactCopy::append(std::string_view piece) {
    while (!piece.empty() && !state_->is_over && state_->end == State::End::none) {
        const std::size_t taken = std::min(piece.size(), storage::kPieceSize - piece_.size());
        piece_.append(piece.substr(0, taken));
        piece.remove_prefix(taken);
        if (piece_.size() < storage::kPieceSize) {
            break;
        }
        while (haste_ == Haste::waits && state_->queue.size() >= kMaxQueued && !state_->is_over) {
            co_await state_->wait();
        }
        queue_piece();
    }
}

void ArtifactCopy::queue_piece() {
    if (state_->queue.size() >= kMaxQueued) {
        state_->end = State::End::broken;
        state_->queue.clear();
    } else {
        state_->queue.push_back(std::exchange(piece_, {}));
    }
    state_->notify();
}

void ArtifactCopy::finish() {
    if (!piece_.empty() && state_->end == State::End::none) {
        state_->queue.push_back(std::exchange(piece_, {}));
    }
    if (state_->end == State::End::none) {
        state_->end = State::End::whole;
    }
    state_->notify();
}

base::Task<> ArtifactCopy::store(std::shared_ptr<State> state, net::Worker& worker, net::BlockingPool& pool) {
    const std::shared_ptr<Filling>& filling = state->filling;
    CacheMetrics& metrics = filling->cache().metrics;
    auto prepare = [filling, head = std::move(state->head)] { return filling->prepare(head); };
    const base::Result<bool> is_wanted = co_await pool.run(worker, kDiskLimit, std::move(prepare));
    base::Result<void> written = is_wanted ? base::Result<void>() : std::unexpected(is_wanted.error());
    const bool is_over = !is_wanted || !*is_wanted;
    while (!is_over && written && (!state->queue.empty() || state->end == State::End::none)) {
        if (state->queue.empty()) {
            co_await state->wait();
            continue;
        }
        auto append = [filling, piece = std::move(state->queue.front())]() mutable {
            return filling->append(std::move(piece));
        };
        state->queue.pop_front();
        state->notify();
        written = co_await pool.run(worker, kDiskLimit, std::move(append));
    }
    state->is_over = true;
    state->queue.clear();
    state->notify();
    if (!is_over && written && state->end == State::End::whole) {
        written = co_await pool.run(worker, kDiskLimit, [filling] { return filling->finish(); });
    } else if (!is_over && written) {
        metrics.copies_dropped.add();
    }
    if (!written) {
        metrics.copies_failed.add();
        telemetry::log_debug("artifact_not_kept", {{"path", filling->key().path}, {"error", written.error().message}});
    }
    // Its file may be large, and takes time to remove.
    auto release = [last = std::move(state->filling)]() mutable {
        last.reset();
        return base::Result<void>();
    };
    co_await pool.run(worker, kDiskLimit, std::move(release));
}

}  // namespace artifacts
