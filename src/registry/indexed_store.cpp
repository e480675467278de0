#include "registry/indexed_store.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "registry/forwarding_writer.hpp"
#include "registry/json.hpp"

#include <boost/json/object.hpp>

namespace registry {

namespace {

// Remembers which models were written to.
class RecordingWriter final : public ForwardingWriter {
public:
    using ForwardingWriter::ForwardingWriter;

    [[nodiscard]] const std::set<ModelKey>& touched() const {
        return touched_;
    }

    base::Result<void> put_model(const std::string& workspace, const RegisteredModel& model) override {
        touched_.insert({workspace, model.name});
        return ForwardingWriter::put_model(workspace, model);
    }

    base::Result<void> erase_model(const ModelKey& key) override {
        touched_.insert(key);
        return ForwardingWriter::erase_model(key);
    }

    base::Result<void> rename_model(const ModelKey& key, const std::string& new_name) override {
        touched_.insert(key);
        touched_.insert({key.workspace, new_name});
        return ForwardingWriter::rename_model(key, new_name);
    }

    base::Result<void> put_version(const std::string& workspace, const ModelVersion& version) override {
        touched_.insert({workspace, version.name});
        return ForwardingWriter::put_version(workspace, version);
    }

    base::Result<void> erase_version(const ModelKey& key, std::int64_t version) override {
        touched_.insert(key);
        return ForwardingWriter::erase_version(key, version);
    }

private:
    std::set<ModelKey> touched_;
};

// What get-by-alias answers for each alias of a model; none for a model that is gone.
base::Result<AliasIndex::Answers> answers_of(Reader& reader, const ModelKey& key) {
    AliasIndex::Answers answers;
    const auto model = reader.find_model(key);
    if (!model) {
        return std::unexpected(model.error());
    }
    if (!*model) {
        return answers;
    }
    std::map<std::int64_t, AliasIndex::Answer> by_version;
    for (const Alias& alias : (*model)->aliases) {
        AliasIndex::Answer& answer = by_version[alias.version];
        if (answer == nullptr) {
            const auto version = reader.find_version(key, alias.version);
            if (!version) {
                return std::unexpected(version.error());
            }
            if (!*version) {
                continue;
            }
            const boost::json::object object{{"model_version", to_json(**version)}};
            answer = std::make_shared<const std::string>(registry::serialize(object));
        }
        answers.emplace(alias.name, answer);
    }
    return answers;
}

}  // namespace

base::Result<void> IndexedStore::load() {
    constexpr std::size_t kModelsPerPage = 500;
    const std::lock_guard turn(writing_);
    std::optional<ModelKey> last;
    bool is_done = false;
    while (!is_done) {
        auto loaded = store_.read([&](Reader& reader) -> base::Result<void> {
            const auto keys = reader.list_models(last, kModelsPerPage);
            if (!keys) {
                return std::unexpected(keys.error());
            }
            is_done = keys->size() < kModelsPerPage;
            for (const ModelKey& key : *keys) {
                auto answers = answers_of(reader, key);
                if (!answers) {
                    return std::unexpected(answers.error());
                }
                index_.replace(key, *std::move(answers));
                last = key;
            }
            return {};
        });
        if (!loaded) {
            return loaded;
        }
    }
    return {};
}

base::Result<void> IndexedStore::read(const std::function<base::Result<void>(Reader&)>& work) {
    return store_.read(work);
}

base::Result<void> IndexedStore::write(const std::function<base::Result<void>(Writer&)>& work) {
    const std::lock_guard turn(writing_);
    std::map<ModelKey, AliasIndex::Answers> answers;
    auto written = store_.write([&](Writer& writer) -> base::Result<void> {
        RecordingWriter recorder(writer);
        if (auto done = work(recorder); !done) {
            return done;
        }
        for (const ModelKey& key : recorder.touched()) {
            auto after = answers_of(writer, key);
            if (!after) {
                return std::unexpected(after.error());
            }
            answers.emplace(key, *std::move(after));
        }
        return {};
    });
    for (auto& [key, after] : answers) {
        if (written) {
            index_.replace(key, std::move(after));
        } else {
            // Who knows what the commit that failed left behind: the store has to be asked.
            index_.erase(key);
        }
    }
    return written;
}

}  // namespace registry
