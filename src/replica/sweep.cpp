#include "replica/sweep.hpp"

#include <algorithm>
#include <array>

#include "replica/reread.hpp"
#include "telemetry/log.hpp"

namespace replica {

namespace {

constexpr double kShare = 0.25;
constexpr double kFillingShare = 0.5;
// A model that MLflow fails to show again and again must not keep all others from being confirmed.
constexpr unsigned kMaxFailures = 3;

registry::Timestamp to_timestamp(base::WallTime time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

}  // namespace

Sweep::Sweep(SweepDeps deps)
    : deps_(deps),
      began_(deps.replica.clock().now()),
      filling_(deps.replica.is_complete() ? Filling::whole : Filling::rows) {
    record_.began = to_timestamp(deps.replica.clock().wall_now());
    if (is_filling()) {
        resumed_at_ = deps.replica.status().position;
    }
    if (resumed_at_) {
        began_ -= std::chrono::milliseconds(std::max<std::int64_t>(0, record_.began - resumed_at_->began));
        record_.began = resumed_at_->began;
        record_.rows = resumed_at_->rows;
    }
}

std::string_view Sweep::to_string(Phase phase) {
    constexpr std::array<std::string_view, 7> kNames{
        "models", "prompts", "versions", "prompt_versions", "absent", "rereading", "done"};
    return kNames[static_cast<std::size_t>(phase)];
}

base::Task<base::Result<bool>> Sweep::step() {
    base::Result<void> done = co_await deps_.pace.before_question();
    if (!done) {
        co_return std::unexpected(done.error());
    }
    const base::MonotonicTime asked_at = deps_.pace.now();
    if (workspaces_.empty()) {
        done = co_await list_workspaces();
    } else if (place_.phase < Phase::absent) {
        done = co_await read_page();
    } else if (place_.phase == Phase::absent) {
        done = co_await look_for_absent();
    } else if (place_.phase == Phase::rereading) {
        done = co_await reread_next();
    }
    co_await deps_.pace.after_question(deps_.pace.now() - asked_at, is_filling() ? kFillingShare : kShare);
    if (!done) {
        co_return std::unexpected(done.error());
    }
    co_return place_.phase == Phase::done;
}

base::Task<base::Result<void>> Sweep::list_workspaces() {
    base::Result<std::vector<std::string>> names = co_await deps_.reader.list_workspaces();
    if (!names) {
        co_return std::unexpected(names.error());
    }
    workspaces_ = std::move(*names);
    const auto found = resumed_at_ ? std::ranges::find(workspaces_, resumed_at_->workspace) : workspaces_.end();
    if (found != workspaces_.end()) {
        place_.workspace = static_cast<std::size_t>(found - workspaces_.begin());
        place_.token = resumed_at_->token;
        for (const Phase phase : {Phase::models, Phase::prompts, Phase::versions, Phase::prompt_versions}) {
            place_.phase = to_string(phase) == resumed_at_->phase ? phase : place_.phase;
        }
    }
    co_return base::Result<void>();
}

Sweep::Place Sweep::place_after(const std::string& next_token) const {
    Place place{place_.workspace, place_.phase, next_token};
    if (!next_token.empty()) {
        return place;
    }
    if (place.phase != Phase::prompt_versions) {
        place.phase = static_cast<Phase>(static_cast<int>(place.phase) + 1);
    } else if (place.workspace + 1 < workspaces_.size()) {
        ++place.workspace;
        place.phase = Phase::models;
    } else {
        // What a filling that was interrupted saw before is not remembered, and the next sweep follows soon.
        place.phase = resumed_at_ ? Phase::rereading : Phase::absent;
    }
    return place;
}

Position Sweep::position_at(const Place& place, std::int64_t rows) const {
    Position position;
    position.began = record_.began;
    position.workspace = workspaces_[place.workspace];
    position.phase = to_string(place.phase);
    position.token = place.token;
    position.rows = rows;
    return position;
}

base::Task<base::Result<Sweep::Pages>> Sweep::ask_for_page() {
    const bool has_models = place_.phase == Phase::models || place_.phase == Phase::prompts;
    const bool has_prompts = place_.phase == Phase::prompts || place_.phase == Phase::prompt_versions;
    const Page page{workspaces_[place_.workspace], has_prompts ? registry::kPromptFilter : "", place_.token};
    const Asked asked = deps_.replica.ask();
    Pages pages;
    if (has_models) {
        base::Result<PageOf<registry::RegisteredModel>> answer = co_await deps_.reader.list_models(page);
        if (!answer) {
            co_return std::unexpected(answer.error());
        }
        pages.next_token = std::move(answer->next_token);
        for (registry::RegisteredModel& model : answer->items) {
            ModelView view;
            view.key = {page.workspace, model.name};
            view.asked = asked;
            view.model = std::move(model);
            pages.views.push_back(std::move(view));
        }
        pages.rows = static_cast<std::int64_t>(pages.views.size());
        co_return pages;
    }
    base::Result<PageOf<registry::ModelVersion>> answer = co_await deps_.reader.list_versions(page);
    if (!answer) {
        co_return std::unexpected(answer.error());
    }
    pages.next_token = std::move(answer->next_token);
    pages.rows = static_cast<std::int64_t>(answer->items.size());
    std::map<registry::ModelKey, ModelView> models;
    for (registry::ModelVersion& version : answer->items) {
        ModelView& view = models[{page.workspace, version.name}];
        view.key = {page.workspace, version.name};
        view.asked = asked;
        view.versions.push_back(std::move(version));
    }
    for (auto& [key, view] : models) {
        pages.views.push_back(std::move(view));
    }
    co_return pages;
}

base::Task<base::Result<void>> Sweep::read_page() {
    base::Result<Pages> pages = co_await ask_for_page();
    if (!pages) {
        co_return std::unexpected(pages.error());
    }
    const Place next = place_after(pages->next_token);
    const std::int64_t rows = record_.rows + pages->rows;
    Replica::Merge merge;
    merge.filling = filling_;
    merge.views = pages->views;
    if (is_filling()) {
        merge.position = position_at(next, rows);
    }
    base::Result<MergeOutcome> outcome = co_await deps_.replica.merge(deps_.worker, std::move(merge));
    if (!outcome) {
        co_return std::unexpected(outcome.error());
    }
    note_seen(pages->views);
    take_outcome(std::move(*outcome));
    record_.rows = rows;
    place_ = next;
    co_return base::Result<void>();
}

void Sweep::note_seen(const std::vector<ModelView>& views) {
    for (const ModelView& view : views) {
        std::vector<std::int64_t>& versions = seen_[view.key];
        for (const registry::ModelVersion& version : view.versions) {
            versions.push_back(version.version);
        }
    }
}

void Sweep::take_outcome(MergeOutcome outcome) {
    record_.changes += outcome.changes;
    record_.erased += outcome.erased;
    to_reread_.insert(outcome.torn.begin(), outcome.torn.end());
    to_reread_.insert(outcome.discarded.begin(), outcome.discarded.end());
    std::ranges::move(outcome.without_uri, std::back_inserter(without_uri_));
}

// What was in no page is read one by one before it counts as deleted.
base::Task<base::Result<void>> Sweep::look_for_absent() {
    base::Result<std::vector<Replica::ModelRows>> rows = co_await deps_.replica.list_rows(deps_.worker, looked_until_);
    if (!rows) {
        co_return std::unexpected(rows.error());
    }
    for (const Replica::ModelRows& model : *rows) {
        const auto seen = seen_.find(model.key);
        if (seen != seen_.end()) {
            std::ranges::sort(seen->second);
        }
        if (seen == seen_.end() || !std::ranges::includes(seen->second, model.versions)) {
            to_reread_.insert(model.key);
        }
        looked_until_ = model.key;
    }
    if (rows->empty()) {
        place_.phase = Phase::rereading;
    }
    co_return base::Result<void>();
}

base::Task<base::Result<void>> Sweep::reread_next() {
    if (to_reread_.empty()) {
        base::Result<void> finished = co_await finish();
        co_return finished;
    }
    const registry::ModelKey key = *to_reread_.begin();
    base::Result<void> done = co_await reread_model(key);
    if (!done && ++failures_[key] < kMaxFailures) {
        co_return done;
    }
    if (!done) {
        telemetry::log_warn("replica_model_not_read", {{"model", key.name}, {"error", done.error().message}});
        deps_.replica.confirmations.doubt(key, deps_.pace.now());
        co_await deps_.replica.mark(deps_.worker, key, MarkReason::torn);
    }
    to_reread_.erase(key);
    co_return base::Result<void>();
}

base::Task<base::Result<void>> Sweep::reread_model(registry::ModelKey key) {
    base::Result<MergeOutcome> outcome =
        co_await reread_locked(deps_.worker, deps_.replica, deps_.reader, std::move(key));
    if (!outcome) {
        co_return std::unexpected(outcome.error());
    }
    take_outcome(std::move(*outcome));
    co_return base::Result<void>();
}

base::Task<base::Result<void>> Sweep::finish() {
    record_.milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(deps_.pace.now() - began_).count();
    record_.workspaces = workspaces_;
    base::Result<void> recorded = co_await deps_.replica.record_sweep(deps_.worker, began_, record_);
    if (recorded) {
        place_.phase = Phase::done;
    }
    co_return recorded;
}

}  // namespace replica
