#include "registry/recorded_store.hpp"

#include <chrono>
#include <map>
#include <utility>

#include "registry/forwarding_writer.hpp"

namespace registry {

namespace {

constexpr std::size_t kModelsPerPage = 500;

// As the rows have it.
base::Result<AliasSight> look_at(Reader& reader, const ModelKey& key) {
    auto model = reader.find_model(key);
    if (!model) {
        return std::unexpected(model.error());
    }
    AliasSight sight{.model = key, .is_there = model->has_value()};
    if (*model) {
        sight.aliases = std::move((*model)->aliases);
    }
    return sight;
}

base::Result<void> look_at_all(Reader& reader, const std::vector<ModelKey>& keys, std::vector<AliasSight>& sights) {
    for (const ModelKey& key : keys) {
        auto sight = look_at(reader, key);
        if (!sight) {
            return std::unexpected(sight.error());
        }
        sights.push_back(*std::move(sight));
    }
    return {};
}

}  // namespace

// Notes the aliases of models before they are first written to.
class RecordedStore::TouchNotes final : public ForwardingWriter {
public:
    using ForwardingWriter::ForwardingWriter;

    base::Result<void> put_model(const std::string& workspace, const RegisteredModel& model) override {
        auto noted = touch({workspace, model.name});
        return noted ? ForwardingWriter::put_model(workspace, model) : noted;
    }

    base::Result<void> erase_model(const ModelKey& key) override {
        auto noted = touch(key);
        return noted ? ForwardingWriter::erase_model(key) : noted;
    }

    base::Result<void> rename_model(const ModelKey& key, const std::string& new_name) override {
        auto noted = touch(key);
        noted = noted ? touch({key.workspace, new_name}) : noted;
        return noted ? ForwardingWriter::rename_model(key, new_name) : noted;
    }

    base::Result<void> erase_version(const ModelKey& key, std::int64_t version) override {
        auto noted = touch(key);
        return noted ? ForwardingWriter::erase_version(key, version) : noted;
    }

    void ascribe(const Act& act) override {
        act_ = act;
    }

    [[nodiscard]] const std::optional<Act>& act() const {
        return act_;
    }

    // Of the models whose aliases differ by now, and of those that are new.
    base::Result<std::vector<AliasSight>> sights() {
        std::vector<AliasSight> sights;
        for (const auto& [key, before] : before_) {
            auto sight = look_at(inner(), key);
            if (!sight) {
                return std::unexpected(sight.error());
            }
            sight->is_first = !before.is_there;
            if (sight->aliases != before.aliases || sight->is_there != before.is_there) {
                sights.push_back(*std::move(sight));
            }
        }
        return sights;
    }

private:
    base::Result<void> touch(const ModelKey& key) {
        if (before_.contains(key)) {
            return {};
        }
        auto sight = look_at(inner(), key);
        if (!sight) {
            return std::unexpected(sight.error());
        }
        before_.emplace(key, *std::move(sight));
        return {};
    }

    std::map<ModelKey, AliasSight> before_;
    std::optional<Act> act_;
};

base::Result<void> RecordedStore::read(const std::function<base::Result<void>(Reader&)>& work) {
    return store_.read(work);
}

base::Result<void> RecordedStore::write(const std::function<base::Result<void>(Writer&)>& work) {
    const std::lock_guard turn(writing_);
    std::vector<AliasSight> sights;
    std::optional<Act> act;
    auto written = store_.write([&](Writer& writer) -> base::Result<void> {
        TouchNotes notes(writer);
        if (auto done = work(notes); !done) {
            return done;
        }
        auto seen = notes.sights();
        if (!seen) {
            return std::unexpected(seen.error());
        }
        sights = *std::move(seen);
        act = notes.act();
        return beside_ == nullptr ? keep(writer.alias_history(), sights, act) : base::Result<void>();
    });
    if (beside_ != nullptr && written) {
        keep_beside(sights, act);
        catch_up();
    } else if (beside_ != nullptr) {
        // Who knows what the commit that failed left behind.
        note_behind(sights);
    }
    return written;
}

base::Result<void> RecordedStore::keep(AliasHistory& history,
                                       const std::vector<AliasSight>& sights,
                                       const std::optional<Act>& act) {
    const auto now = std::chrono::floor<std::chrono::milliseconds>(clock_.wall_now().time_since_epoch()).count();
    const ChangeSource otherwise = beside_ == nullptr ? ChangeSource::start_up : ChangeSource::mlflow;
    std::vector<AliasChange> changes;
    for (const AliasSight& sight : sights) {
        const auto last_seen = history.last_seen(sight.model);
        if (!last_seen) {
            return std::unexpected(last_seen.error());
        }
        for (AliasChange& change : changes_between(*last_seen, sight, act, otherwise, now)) {
            changes.push_back(std::move(change));
        }
    }
    return changes.empty() ? base::Result<void>() : history.append(changes);
}

void RecordedStore::keep_beside(const std::vector<AliasSight>& sights, const std::optional<Act>& act) {
    if (!keep(*beside_, sights, act)) {
        note_behind(sights);
    }
}

void RecordedStore::note_behind(const std::vector<AliasSight>& sights) {
    const std::lock_guard guard(mutex_);
    for (const AliasSight& sight : sights) {
        if (behind_.size() < kMaxBehind) {
            behind_.insert(sight.model);
        }
    }
}

base::Result<void> RecordedStore::look_and_keep(const Look& look) {
    std::vector<AliasSight> sights;
    if (beside_ == nullptr) {
        return store_.write([&](Writer& writer) -> base::Result<void> {
            const auto looked = look(writer, writer.alias_history(), sights);
            return looked ? keep(writer.alias_history(), sights, std::nullopt) : looked;
        });
    }
    const auto looked = store_.read([&](Reader& reader) { return look(reader, *beside_, sights); });
    return looked ? keep(*beside_, sights, std::nullopt) : looked;
}

// A page of them at a time, so that no write waits for long.
void RecordedStore::catch_up() {
    std::vector<ModelKey> keys;
    {
        const std::lock_guard guard(mutex_);
        for (auto key = behind_.begin(); key != behind_.end() && keys.size() < kModelsPerPage; ++key) {
            keys.push_back(*key);
        }
    }
    if (keys.empty()) {
        return;
    }
    const auto kept = look_and_keep([&](Reader& reader, AliasHistory&, std::vector<AliasSight>& sights) {
        return look_at_all(reader, keys, sights);
    });
    if (kept) {
        const std::lock_guard guard(mutex_);
        for (const ModelKey& key : keys) {
            behind_.erase(key);
        }
    }
}

std::size_t RecordedStore::models_behind() const {
    const std::lock_guard guard(mutex_);
    return behind_.size();
}

base::Result<void> RecordedStore::compare(Absence absence) {
    bool is_first_look = false;
    const std::lock_guard turn(writing_);
    auto done = look_and_keep([&](Reader&, AliasHistory& history, std::vector<AliasSight>&) -> base::Result<void> {
        const auto known = history.models(std::nullopt, 1);
        is_first_look = known && known->empty();
        return known ? base::Result<void>() : std::unexpected(known.error());
    });
    done = done ? compare_present(is_first_look) : done;
    return done && absence == Absence::counts ? compare_absent() : done;
}

base::Result<void> RecordedStore::compare_present(bool is_first_look) {
    std::optional<ModelKey> last;
    bool is_done = false;
    base::Result<void> done = {};
    while (done && !is_done) {
        done = look_and_keep([&](Reader& reader, AliasHistory&, std::vector<AliasSight>& sights) -> base::Result<void> {
            auto page = reader.list_aliased_models(last, kModelsPerPage);
            if (!page) {
                return std::unexpected(page.error());
            }
            is_done = page->size() < kModelsPerPage;
            for (AliasedModel& model : *page) {
                last = model.key;
                sights.push_back(
                    {.model = std::move(model.key), .aliases = std::move(model.aliases), .is_first = is_first_look});
            }
            return {};
        });
    }
    return done;
}

base::Result<void> RecordedStore::compare_absent() {
    std::optional<ModelKey> last;
    bool is_done = false;
    base::Result<void> done = {};
    while (done && !is_done) {
        done = look_and_keep(
            [&](Reader& reader, AliasHistory& history, std::vector<AliasSight>& sights) -> base::Result<void> {
                const auto page = history.models(last, kModelsPerPage);
                if (!page) {
                    return std::unexpected(page.error());
                }
                is_done = page->size() < kModelsPerPage;
                last = page->empty() ? last : page->back();
                return look_at_all(reader, *page, sights);
            });
    }
    return done;
}

}  // namespace registry
