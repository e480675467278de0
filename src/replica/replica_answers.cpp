// The parts of Replica that answer calls.
#include <algorithm>
#include <utility>

#include "registry_http/error_response.hpp"
#include "replica/acknowledged_write.hpp"
#include "replica/replica.hpp"
#include "replica/row_answer.hpp"
#include "telemetry/log.hpp"

namespace replica {

base::Task<base::Result<void>> Replica::apply_unread(net::Worker& worker, registry::Call call, std::string body) {
    const base::Result<CallTarget> target = target_of(call);
    if (!target) {
        co_return std::unexpected(target.error());
    }
    call.workspace = target->model.workspace;
    base::Result<void> done = co_await write(
        worker,
        [this, call = std::move(call), target = *target, body = std::move(body)](
            registry::Writer& writer) -> base::Result<std::int64_t> {
            const base::Result<void> applied = apply_acknowledged(writer, call, target, body, clock_.wall_now());
            return applied ? base::Result<std::int64_t>(1) : std::unexpected(applied.error());
        });
    for (const registry::ModelKey& key : target->models()) {
        confirmations.aliases_changed(key);
        confirmations.doubt(key, clock_.now());
    }
    co_return done;
}

base::Task<std::optional<http::Response>> Replica::answer(net::Worker& worker, registry::Call call, CallTarget target) {
    const std::optional<Part> part = part_of(call, target);
    // What MLflow says to a workspace it does not have depends on how it was started.
    if (!knows_workspace(target.model.workspace) ||
        (part ? confirmations.is_lost(target.model) : confirmations.lost() > 0)) {
        co_return std::nullopt;
    }
    const base::MonotonicTime confirmed_at =
        part ? confirmations.confirmed_at(target.model, *part) : confirmations.last_sweep();
    call.workspace = target.model.workspace;
    const registry::ModelKey key = target.model;
    base::Result<std::optional<RowAnswer>> answer =
        co_await read(worker, [this, call = std::move(call), target = std::move(target)](registry::Reader& reader) {
            return answer_from_rows(reader, registry_, call, target, is_marked(target.model));
        });
    note_reading(answer ? base::Result<void>() : std::unexpected(answer.error()));
    if (!answer) {
        co_return std::nullopt;
    }
    // What was lost meanwhile may be missing from what was read.
    if (!*answer || (part && confirmations.is_lost(key))) {
        co_return std::nullopt;
    }
    http::Response response;
    if ((*answer)->body) {
        response.body = std::move(*(*answer)->body);
    } else {
        response = registry_http::to_response((*answer)->body.error());
    }
    describe_source(response, confirmed_at, (*answer)->revision);
    co_return response;
}

bool Replica::knows_workspace(const std::string& name) const {
    const std::lock_guard guard(mutex_);
    return name.empty() || (status_.last_sweep && std::ranges::count(status_.last_sweep->workspaces, name) > 0);
}

// Once when it begins and once when it ends, however many clients ask.
void Replica::note_reading(const base::Result<void>& outcome) {
    const bool is_failing = !outcome;
    if (is_failing == is_failing_.load(std::memory_order_relaxed) || is_failing_.exchange(is_failing) == is_failing) {
        return;
    }
    if (is_failing) {
        telemetry::log_warn("replica_store_failing", {{"error", outcome.error().message}});
    } else {
        telemetry::log_info("replica_store_works_again");
    }
}

void Replica::describe_source(http::Response& response, base::MonotonicTime confirmed_at, std::int64_t revision) const {
    const base::MonotonicTime since = std::max({confirmed_at, filling_began_.load(), base::MonotonicTime()});
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(clock_.now() - since);
    response.headers.emplace_back("X-Hokusai-Source", "replica");
    response.headers.emplace_back("Age", std::to_string(std::max<std::int64_t>(0, age.count())));
    response.headers.emplace_back("X-Hokusai-Revision", std::to_string(revision));
}

}  // namespace replica
