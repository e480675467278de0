#include "replica/replica.hpp"

#include <algorithm>
#include <utility>

#include "telemetry/log.hpp"

namespace replica {

namespace {

constexpr std::size_t kErasedAtOnce = 500;
constexpr std::size_t kListedAtOnce = 500;

registry::Timestamp to_timestamp(base::WallTime time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

base::Result<bool> erase_some(registry::Writer& writer) {
    const base::Result<std::vector<registry::ModelKey>> keys = writer.list_models(std::nullopt, kErasedAtOnce);
    if (!keys) {
        return std::unexpected(keys.error());
    }
    for (const registry::ModelKey& key : *keys) {
        const base::Result<void> erased = writer.erase_model(key);
        if (!erased) {
            return std::unexpected(erased.error());
        }
    }
    return !keys->empty();
}

}  // namespace

base::MonotonicTime Replica::monotonic(registry::Timestamp time) const {
    const std::int64_t ago = std::max<std::int64_t>(0, to_timestamp(clock_.wall_now()) - time);
    return clock_.now() - std::chrono::milliseconds(ago);
}

base::Result<void> Replica::open(const std::string& upstream) {
    const auto note = [this](registry::Reader& reader) { return note_status(reader); };
    base::Result<void> done = store_.read(note);
    if (done && status_.upstream != upstream) {
        if (!status_.upstream.empty()) {
            telemetry::log_warn("replica_starts_anew", {{"was_of", status_.upstream}, {"is_of", upstream}});
        }
        bool has_more = true;
        done = store_.write(forget_facts);
        while (done && has_more) {
            done = store_.write([&](registry::Writer& writer) -> base::Result<void> {
                const base::Result<bool> erased = erase_some(writer);
                has_more = erased.value_or(false);
                return erased ? base::Result<void>() : std::unexpected(erased.error());
            });
        }
        done = done ? store_.write([&](registry::Writer& writer) { return put_upstream(writer, upstream); }) : done;
        done = done ? store_.read(note) : done;
    }
    if (!done) {
        return done;
    }
    for (const Mark& mark : status_.marked) {
        marked_.emplace(mark.model, mark.reason);
        if (mark.reason == MarkReason::not_stored) {
            confirmations.lose(mark.model);
        }
    }
    if (status_.last_sweep) {
        confirmations.swept(monotonic(status_.last_sweep->began));
    } else if (status_.position) {
        filling_began_.store(monotonic(status_.position->began));
    }
    return {};
}

base::Result<void> Replica::note_status(registry::Reader& reader) {
    base::Result<ReplicaStatus> status = read_status(reader);
    if (!status) {
        return std::unexpected(status.error());
    }
    is_complete_.store(status->is_complete());
    revision_.store(status->revision);
    const std::lock_guard guard(mutex_);
    status_ = std::move(*status);
    return {};
}

ReplicaStatus Replica::status() const {
    const std::vector<Mark> marks = marked();
    const std::lock_guard guard(mutex_);
    ReplicaStatus status = status_;
    status.revision = revision();
    status.marked = marks;
    return status;
}

// The job goes on alone when it takes too long, and must then not put older rows over newer ones: those who wait for
// their turn in the store look whether they still are wanted.
base::Task<base::Result<void>> Replica::write(net::Worker& worker, Change work, base::Duration limit) {
    const auto is_given_up = std::make_shared<std::atomic<bool>>(false);
    base::Result<void> done = co_await pool_.run(worker, limit, [this, is_given_up, work = std::move(work)] {
        return write_now([&](registry::Writer& writer) -> base::Result<std::int64_t> {
            return is_given_up->load() ? base::fail(base::Code::cancelled, "nobody waits for it any more")
                                       : work(writer);
        });
    });
    is_given_up->store(true);
    co_return done;
}

base::Result<void> Replica::write_now(const Change& work) {
    std::int64_t revision = 0;
    base::Result<void> written = store_.write([&](registry::Writer& writer) -> base::Result<void> {
        base::Result<std::int64_t> changes = work(writer);
        changes = changes ? add_to_revision(writer, *changes) : changes;
        revision = changes.value_or(0);
        return changes ? base::Result<void>() : std::unexpected(changes.error());
    });
    if (written) {
        revision_.store(revision);
    }
    return written;
}

// An answer that was asked for later has told of these parts already.
ModelView Replica::without_what_is_known_better(ModelView view) const {
    const auto is_outdated = [&](const Part& part) {
        return view.asked.at < confirmations.confirmed_at(view.key, part);
    };
    std::erase_if(view.versions, [&](const registry::ModelVersion& version) {
        return is_outdated({.kind = Part::Kind::version, .version = version.version});
    });
    std::erase_if(view.gone_versions,
                  [&](std::int64_t version) { return is_outdated({.kind = Part::Kind::version, .version = version}); });
    if (view.model && is_outdated({})) {
        view.model.reset();
    }
    return view;
}

base::Result<void> Replica::merge_view(registry::Writer& writer,
                                       const Merge& merge,
                                       ModelView view,
                                       MergeOutcome& outcome) {
    if (!merge.is_within_write) {
        if (!confirmations.is_current(view.key, view.asked)) {
            outcome.discarded.push_back(view.key);
            return {};
        }
        if (view.is_gone && view.asked.at < confirmations.confirmed_at(view.key, {})) {
            return {};
        }
        view = without_what_is_known_better(std::move(view));
    }
    base::Result<Merged> merged = replica::merge(writer, view, merge.filling);
    if (!merged) {
        return std::unexpected(merged.error());
    }
    if (merged->is_other_model || view.is_gone) {
        confirmations.forget(view.key);
    } else if (merged->aliases_changed) {
        confirmations.aliases_changed(view.key);
    }
    outcome.changes += merged->changes;
    outcome.erased += merged->erased;
    if (merged->is_torn) {
        outcome.torn.push_back(view.key);
    }
    for (const VersionWithoutUri& version : merged->without_uri) {
        outcome.without_uri.emplace_back(view.key, version);
    }
    return {};
}

base::Result<MergeOutcome> Replica::merge_rows(registry::Writer& writer, const Merge& merge) {
    MergeOutcome outcome;
    if (merge.act) {
        writer.ascribe(*merge.act);
    }
    for (const ModelView& view : merge.views) {
        base::Result<void> merged = merge_view(writer, merge, view, outcome);
        if (!merged) {
            return std::unexpected(merged.error());
        }
    }
    if (merge.position) {
        filling_began_.store(monotonic(merge.position->began));
        const base::Result<void> put = put_position(writer, *merge.position);
        if (!put) {
            return std::unexpected(put.error());
        }
    }
    return outcome;
}

base::Task<base::Result<MergeOutcome>> Replica::merge(net::Worker& worker, Merge merge) {
    const auto shared = std::make_shared<const Merge>(std::move(merge));
    const auto outcome = std::make_shared<MergeOutcome>();
    const base::Result<void> done =
        co_await write(worker, [this, shared, outcome](registry::Writer& writer) -> base::Result<std::int64_t> {
            base::Result<MergeOutcome> merged = merge_rows(writer, *shared);
            if (!merged) {
                return std::unexpected(merged.error());
            }
            *outcome = std::move(*merged);
            return outcome->changes;
        });
    if (!done) {
        co_return std::unexpected(done.error());
    }
    for (const ModelView& view : shared->views) {
        if (std::ranges::count(outcome->torn, view.key) + std::ranges::count(outcome->discarded, view.key) == 0) {
            confirm(view, shared->is_within_write);
        }
    }
    co_return std::move(*outcome);
}

base::Task<base::Result<void>> Replica::put_download_uris(net::Worker& worker, std::vector<DownloadUri> uris) {
    return write(worker, [this, uris = std::move(uris)](registry::Writer& writer) -> base::Result<std::int64_t> {
        std::int64_t changes = 0;
        for (const DownloadUri& found : uris) {
            base::Result<std::optional<registry::ModelVersion>> version = writer.find_version(found.key, found.version);
            if (!version) {
                return std::unexpected(version.error());
            }
            if (!*version || !(*version)->artifact_uri.empty() || !confirmations.is_current(found.key, found.asked)) {
                continue;
            }
            ++changes;
            (*version)->artifact_uri = found.uri;
            const base::Result<void> put = writer.put_version(found.key.workspace, **version);
            if (!put) {
                return std::unexpected(put.error());
            }
        }
        return changes;
    });
}

// What a view says, it says of whole answers: a version with the aliases that name it, a model with its latest
// versions.
void Replica::confirm(const ModelView& view, bool is_within_write) {
    const auto confirm_part = [&](const Part& part) {
        confirmations.confirm(view.key, part, view.asked, is_within_write);
    };
    if (view.is_whole && view.model) {
        confirm_part({.kind = Part::Kind::everything});
        return;
    }
    if (view.model) {
        confirm_part({});
    }
    if (view.model || view.knows_aliases) {
        for (const registry::ModelVersion& version : view.versions) {
            confirm_part({.kind = Part::Kind::version, .version = version.version});
        }
    }
    for (const registry::ModelVersion& version : view.versions) {
        for (const std::string& alias : view.knows_aliases ? version.aliases : std::vector<std::string>()) {
            confirm_part({.kind = Part::Kind::alias, .alias = alias});
        }
    }
}

base::Task<base::Result<void>> Replica::record_sweep(net::Worker& worker,
                                                     base::MonotonicTime began,
                                                     SweepRecord sweep) {
    base::Result<void> done =
        co_await write(worker, [this, sweep](registry::Writer& writer) -> base::Result<std::int64_t> {
            base::Result<void> put = put_last_sweep(writer, sweep);
            put = put ? note_status(writer) : put;
            return put ? base::Result<std::int64_t>(0) : std::unexpected(put.error());
        });
    if (done) {
        confirmations.swept(began);
    }
    co_return done;
}

base::Task<base::Result<std::vector<std::int64_t>>> Replica::version_numbers(net::Worker& worker,
                                                                             std::vector<registry::ModelKey> keys) {
    return read(worker, [keys = std::move(keys)](registry::Reader& reader) -> base::Result<std::vector<std::int64_t>> {
        std::vector<std::int64_t> all;
        for (const registry::ModelKey& key : keys) {
            const base::Result<std::vector<std::int64_t>> numbers = reader.version_numbers(key);
            if (!numbers) {
                return std::unexpected(numbers.error());
            }
            all.insert(all.end(), numbers->begin(), numbers->end());
        }
        return all;
    });
}

base::Task<base::Result<std::vector<Replica::ModelRows>>> Replica::list_rows(net::Worker& worker,
                                                                             std::optional<registry::ModelKey> after) {
    return read(worker, [after = std::move(after)](registry::Reader& reader) -> base::Result<std::vector<ModelRows>> {
        const base::Result<std::vector<registry::ModelKey>> keys = reader.list_models(after, kListedAtOnce);
        if (!keys) {
            return std::unexpected(keys.error());
        }
        std::vector<ModelRows> rows;
        for (const registry::ModelKey& key : *keys) {
            base::Result<std::vector<std::int64_t>> numbers = reader.version_numbers(key);
            if (!numbers) {
                return std::unexpected(numbers.error());
            }
            rows.push_back({key, std::move(*numbers)});
        }
        return rows;
    });
}

base::Task<> Replica::mark(net::Worker& worker, registry::ModelKey key, MarkReason reason) {
    {
        const std::lock_guard guard(mutex_);
        const auto known = marked_.find(key);
        const bool says_more = known == marked_.end() || reason == MarkReason::not_stored;
        // Beyond so many the next sweep finds them all the same.
        if (!says_more || marked_.size() >= kMaxMarked) {
            co_return;
        }
        marked_.insert_or_assign(key, reason);
    }
    telemetry::log_info("replica_model_marked",
                        {{"workspace", key.workspace}, {"model", key.name}, {"reason", to_string(reason)}});
    co_await store_marks(worker);
}

base::Task<> Replica::unmark(net::Worker& worker, registry::ModelKey key) {
    {
        const std::lock_guard guard(mutex_);
        if (marked_.erase(key) == 0) {
            co_return;
        }
    }
    co_await store_marks(worker);
}

// They are known in memory in any case; a store that does not take them is told of with the write it did not take.
base::Task<> Replica::store_marks(net::Worker& worker) {
    const base::Result<void> stored =
        co_await write(worker, [this](registry::Writer& writer) -> base::Result<std::int64_t> {
            const base::Result<void> put = put_marked(writer, marked());
            return put ? base::Result<std::int64_t>(0) : std::unexpected(put.error());
        });
    if (!stored) {
        telemetry::log_warn("replica_marks_not_stored", {{"error", stored.error().message}});
    }
}

std::vector<Mark> Replica::marked() const {
    std::vector<Mark> marks;
    const std::lock_guard guard(mutex_);
    for (const auto& [key, reason] : marked_) {
        marks.push_back({key, reason});
    }
    return marks;
}

bool Replica::is_marked(const registry::ModelKey& key) const {
    const std::lock_guard guard(mutex_);
    return marked_.contains(key);
}

}  // namespace replica
