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
    if (part ? confirmations.is_lost(target.model) : confirmations.has_lost_any()) {
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
    if (!answer) {
        telemetry::log_warn("replica_read_failed", {{"error", answer.error().message}});
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

void Replica::describe_source(http::Response& response, base::MonotonicTime confirmed_at, std::int64_t revision) const {
    const base::MonotonicTime since = std::max({confirmed_at, filling_began_.load(), base::MonotonicTime()});
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(clock_.now() - since);
    response.headers.emplace_back("X-Hokusai-Source", "replica");
    response.headers.emplace_back("Age", std::to_string(std::max<std::int64_t>(0, age.count())));
    response.headers.emplace_back("X-Hokusai-Revision", std::to_string(revision));
}

}  // namespace replica
