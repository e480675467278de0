#include "replica/local_write.hpp"

#include <algorithm>
#include <utility>

#include "registry/registry.hpp"
#include "replica/reread.hpp"
#include "telemetry/log.hpp"

namespace replica {

LocalWrite::LocalWrite(
    net::Worker& worker, Replica& replica, UpstreamReader& reader, registry::Call call, CallTarget target)
    : worker_(worker),
      replica_(replica),
      reader_(reader),
      call_(std::move(call)),
      target_(std::move(target)),
      act_(registry::act_of(call_)) {}

LocalWrite::~LocalWrite() {
    for (const registry::ModelKey& key : writing_) {
        replica_.confirmations.end_write(key);
    }
}

base::Task<base::Result<void>> LocalWrite::begin(base::MonotonicTime give_up_at, ModelLocks::Wait& wait) {
    for (const registry::ModelKey& key : target_.models()) {
        base::Result<ModelLocks::Held> held = co_await replica_.locks.lock(worker_, key, give_up_at, wait);
        if (!held) {
            co_return std::unexpected(held.error());
        }
        locks_.push_back(std::move(*held));
    }
    writing_ = target_.models();
    for (const registry::ModelKey& key : writing_) {
        replica_.confirmations.begin_write(key);
    }
    asked_ = replica_.ask();
    co_return base::Result<void>();
}

base::Task<base::Result<void>> LocalWrite::check_rollback() {
    if (!call_.rollback_from) {
        co_return base::Result<void>();
    }
    const base::Result<std::optional<registry::RegisteredModel>> model = co_await reader_.find_model(target_.model);
    if (!model) {
        co_return std::unexpected(model.error());
    }
    co_return registry::check_rollback(call_, *model ? (*model)->aliases : std::vector<registry::Alias>());
}

base::Task<> LocalWrite::answered(unsigned status, std::string_view body) {
    if (status >= 500) {
        co_await failed(true);
        co_return;
    }
    if (status != 200) {
        co_return;
    }
    const base::Result<void> read = co_await read_back(body);
    if (read) {
        co_return;
    }
    telemetry::log_warn("replica_write_not_read_back",
                        {{"model", target_.model.name}, {"error", read.error().message}});
    const base::Result<void> applied = co_await replica_.apply_unread(worker_, call_, std::string(body));
    if (applied) {
        co_await mark_all(MarkReason::not_read_back);
        co_return;
    }
    telemetry::log_error("replica_write_not_stored",
                         {{"model", target_.model.name}, {"error", applied.error().message}});
    for (const registry::ModelKey& key : writing_) {
        replica_.confirmations.lose(key);
    }
    co_await mark_all(MarkReason::not_stored);
}

base::Task<> LocalWrite::failed(bool may_have_been_carried_out) {
    if (may_have_been_carried_out) {
        for (const registry::ModelKey& key : writing_) {
            replica_.confirmations.doubt(key, replica_.clock().now());
        }
        co_await mark_all(MarkReason::unknown_outcome);
    }
}

base::Task<> LocalWrite::mark_all(MarkReason reason) {
    is_known_ = false;
    for (const registry::ModelKey& key : writing_) {
        co_await replica_.mark(worker_, key, reason);
    }
}

base::Task<base::Result<void>> LocalWrite::read_back(std::string_view body) {
    const Rereading rereading = rereading_after(call_.operation, target_);
    std::optional<ModelView> seen = view_of(call_, target_, body, asked_);
    const bool answer_shows_it = !rereading.model && !rereading.version && !rereading.everything;
    if (call_.operation == registry::Operation::rename_model) {
        base::Result<void> done = co_await read_back_rename();
        co_return done;
    }
    if (rereading.everything || (!seen && (answer_shows_it || rereading.download_uri))) {
        base::Result<void> done = co_await read_back_everything(target_.model);
        co_return done;
    }
    if (!seen) {
        seen.emplace();
        seen->key = target_.model;
        seen->asked = replica_.ask();
    }
    base::Result<ModelView> view = co_await complete(std::move(*seen), rereading);
    if (!view) {
        co_return std::unexpected(view.error());
    }
    const bool is_whole = view->is_whole || view->is_gone;
    Replica::Merge merge;
    merge.is_within_write = true;
    merge.act = act_;
    merge.views.push_back(std::move(*view));
    base::Result<MergeOutcome> merged = co_await replica_.merge(worker_, std::move(merge));
    if (!merged) {
        co_return std::unexpected(merged.error());
    }
    if (!merged->torn.empty()) {
        base::Result<void> done = co_await read_back_everything(target_.model);
        co_return done;
    }
    if (is_whole) {
        co_await replica_.unmark(worker_, target_.model);
    }
    co_return base::Result<void>();
}

// What MLflow's answer to the write does not show.
base::Task<base::Result<ModelView>> LocalWrite::complete(ModelView view, Rereading rereading) {
    if (rereading.model) {
        base::Result<std::optional<registry::RegisteredModel>> model = co_await reader_.find_model(view.key);
        if (!model) {
            co_return std::unexpected(model.error());
        }
        view.is_gone = !model->has_value();
        view.model = std::move(*model);
    }
    if (rereading.version && !view.is_gone) {
        base::Result<std::optional<registry::ModelVersion>> version =
            co_await reader_.find_version(view.key, target_.version);
        if (!version) {
            co_return std::unexpected(version.error());
        }
        if (*version) {
            view.knows_aliases = true;
            view.versions.push_back(std::move(**version));
        } else {
            view.gone_versions.push_back(target_.version);
        }
    }
    if (rereading.download_uri && !view.is_gone) {
        base::Result<std::optional<std::string>> uri =
            co_await reader_.find_download_uri(view.key, view.versions.front().version);
        if (!uri) {
            co_return std::unexpected(uri.error());
        }
        view.versions.front().artifact_uri = uri->value_or("");
    }
    co_return view;
}

base::Task<base::Result<void>> LocalWrite::read_back_rename() {
    const registry::ModelKey renamed{target_.model.workspace, target_.new_name};
    base::Result<void> done = co_await read_back_everything(renamed, target_.model.name);
    if (done && renamed != target_.model) {
        done = co_await read_back_everything(target_.model);
    }
    co_return done;
}

base::Task<base::Result<void>> LocalWrite::read_back_everything(registry::ModelKey key, std::string renamed_from) {
    base::Result<MergeOutcome> merged =
        co_await reread(worker_,
                        replica_,
                        reader_,
                        {.key = key, .is_within_write = true, .renamed_from = std::move(renamed_from), .act = act_});
    if (!merged) {
        co_return std::unexpected(merged.error());
    }
    co_await replica_.unmark(worker_, std::move(key));
    co_return base::Result<void>();
}

}  // namespace replica
