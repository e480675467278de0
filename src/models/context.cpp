#include "models/context.hpp"

#include <chrono>
#include <utility>

#include "base/strings.hpp"
#include "models/outcome.hpp"
#include "telemetry/log.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace models {

namespace {

constexpr auto kDiskPatience = std::chrono::seconds(2);

base::Task<std::optional<RunFacts>> find_kept(Context& context, std::string run_id) {
    const base::Result<std::optional<RunFacts>> kept = co_await context.pool.run(
        context.worker, kDiskPatience, [&store = context.run_facts, run_id] { return store.find(run_id); });
    co_return kept ? *kept : std::nullopt;
}

base::Task<> keep(Context& context, RunFacts facts) {
    const base::Result<void> kept = co_await context.pool.run(
        context.worker, kDiskPatience, [&store = context.run_facts, facts] { return store.put(facts); });
    if (!kept) {
        telemetry::log_warn("run_facts_not_kept", {{"run", facts.run_id}, {"error", kept.error().message}});
    }
}

void note_age(Context& context, const RunFacts& facts) {
    const auto age =
        std::chrono::duration_cast<std::chrono::seconds>(context.worker.clock().wall_now() - facts.read_at);
    context.freshness.note(static_cast<unsigned>(std::max<std::int64_t>(0, age.count())));
}

}  // namespace

base::Task<ReadFacts> read_facts(Context& context, std::string run_id, Wanted wanted) {
    if (run_id.empty() || !context.mlflow.has_runs()) {
        co_return ReadFacts{};
    }
    if (wanted == Wanted::of_ended) {
        std::optional<RunFacts> kept = co_await find_kept(context, run_id);
        if (kept && kept->has_ended) {
            co_return ReadFacts{std::move(kept), false};
        }
    }
    const base::Result<ApiAnswer> answer =
        co_await context.mlflow.call({.target = "/api/2.0/mlflow/runs/get?run_id=" + base::percent_encode(run_id)});
    const Outcome<boost::json::object> object = object_in(answer, "no such run");
    if (object) {
        base::Result<RunFacts> facts = facts_from_mlflow(*object, context.worker.clock().wall_now());
        if (facts) {
            co_await keep(context, *facts);
            co_return ReadFacts{std::move(*facts), true};
        }
    }
    if (!object && object.error().status == 404) {
        co_return ReadFacts{{}, true};
    }
    std::optional<RunFacts> kept = co_await find_kept(context, run_id);
    if (kept) {
        note_age(context, *kept);
    }
    co_return ReadFacts{std::move(kept), true};
}

}  // namespace models
