#include "offline_registry/resolver.hpp"

#include <limits>
#include <memory>
#include <utility>

#include "offline_registry/promise.hpp"
#include "replica/reread.hpp"
#include "telemetry/log.hpp"

#include <fmt/format.h>

namespace offline_registry {

namespace {

constexpr auto kLockPatience = std::chrono::seconds(30);
constexpr auto kRebaseLimit = std::chrono::minutes(10);  // each entry reads the whole model
constexpr unsigned kDiscarded = 409;

std::vector<journal::Rejection> all_discarded(const std::vector<journal::Entry>& entries,
                                              const journal::Hold& hold,
                                              base::WallTime now) {
    std::vector<journal::Rejection> rejections;
    for (const journal::Entry& entry : entries) {
        rejections.push_back({entry.sequence, kDiscarded, fmt::format("discarded on request: {}", hold.reason), now});
    }
    return rejections;
}

// The highest number MLflow has given as far as is known without what waits.
std::int64_t highest_given(const std::vector<journal::Entry>& entries, const Numbers& numbers) {
    std::int64_t highest = 0;
    if (!entries.empty()) {
        const base::Result<Expectation> first = expectation_of(entries.front());
        highest = first && numbers.empty() ? first->before.highest_version : 0;
    }
    return highest;
}

}  // namespace

base::Task<base::Result<void>> Resolver::resolve(const std::string& lane, const journal::Hold& hold) {
    const registry::ModelKey key = model_of_lane(lane);
    replica::ModelLocks::Wait wait;
    const base::Result<replica::ModelLocks::Held> held =
        co_await deps_.replica.locks.lock(deps_.worker, key, deps_.replica.clock().now() + kLockPatience, wait);
    if (!held) {
        co_return std::unexpected(held.error());
    }
    const base::Result<std::vector<journal::Entry>> entries = co_await deps_.journal.head(
        deps_.worker, lane, std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int64_t>::max());
    if (!entries) {
        co_return std::unexpected(entries.error());
    }
    base::Result<Rebased> rebased = co_await rebase_rows(key, hold, *entries);
    if (!rebased) {
        co_return std::unexpected(rebased.error());
    }
    const Numbers before = numbers_from(hold.about);
    journal::Settlement settlement{.lane = lane, .is_released = true};
    for (const journal::Entry& entry : *entries) {
        settlement.bytes += journal::cost_of(entry);
    }
    for (const auto& [promised, given] : rebased->numbers) {
        const auto known = before.find(promised);
        if (known == before.end() || known->second != given) {
            settlement.renumbered.push_back({lane, promised, given, deps_.worker.clock().wall_now()});
        }
    }
    const std::size_t applied = rebased->rewritten.size();
    const std::size_t set_aside = rebased->rejected.size();
    settlement.rewritten = std::move(rebased->rewritten);
    settlement.rejected = std::move(rebased->rejected);
    base::Result<void> settled = co_await deps_.journal.settle(deps_.worker, std::move(settlement));
    if (settled) {
        deps_.pending.release(lane);
        deps_.pending.set_behind(key, false);
        telemetry::log_warn(
            "registry_conflict_resolved",
            {{"workspace", key.workspace}, {"model", key.name}, {"applied", applied}, {"set_aside", set_aside}});
    }
    co_return settled;
}

base::Task<base::Result<Rebased>> Resolver::rebase_rows(const registry::ModelKey& key,
                                                        const journal::Hold& hold,
                                                        std::vector<journal::Entry> entries) {
    base::Result<replica::ModelView> view = co_await replica::read_whole(deps_.replica, deps_.reader, key);
    if (!view) {
        co_return std::unexpected(view.error());
    }
    const base::WallTime now = deps_.worker.clock().wall_now();
    const auto rebased = std::make_shared<Rebased>();
    const bool is_applied = hold.decision == journal::Decision::apply;
    const Numbers numbers = numbers_from(hold.about);
    const std::int64_t highest = highest_given(entries, numbers);
    replica::Replica::Change work = [=, view = *std::move(view), entries = std::move(entries)](
                                        registry::Writer& writer) -> base::Result<std::int64_t> {
        const base::Result<void> started = start_over(writer, view, highest);
        if (!started) {
            return std::unexpected(started.error());
        }
        base::Result<Rebased> result = is_applied ? rebase(writer, key, entries, numbers, now)
                                                  : Rebased{{}, all_discarded(entries, hold, now), numbers};
        if (!result) {
            return std::unexpected(result.error());
        }
        *rebased = *std::move(result);
        return 1;
    };
    const base::Result<void> done = co_await deps_.replica.write(deps_.worker, std::move(work), kRebaseLimit);
    deps_.replica.confirmations.aliases_changed(key);
    if (!done) {
        co_return std::unexpected(done.error());
    }
    co_return std::move(*rebased);
}

}  // namespace offline_registry
