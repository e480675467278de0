// The port to wherever the registry's rows are kept.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "registry/alias_history.hpp"
#include "registry/entities.hpp"
#include "registry/query.hpp"

namespace registry {

struct AliasedModel {
    ModelKey key;
    std::vector<Alias> aliases;

    bool operator==(const AliasedModel&) const = default;
};

struct Counts {
    std::int64_t models = 0;
    std::int64_t versions = 0;
    std::int64_t aliases = 0;
};

// One consistent view. Absent rows are nullopt; errors are the store's own trouble. Tags come in the order they were
// put, aliases by name.
class Reader {
public:
    virtual ~Reader() = default;

    // Without its latest versions.
    virtual base::Result<std::optional<RegisteredModel>> find_model(const ModelKey& key) = 0;

    // With its aliases.
    virtual base::Result<std::optional<ModelVersion>> find_version(const ModelKey& key, std::int64_t version) = 0;

    // The newest version of each of `stages`, without aliases; of every stage when there are none. Their order is that
    // of the oldest versions in these stages.
    virtual base::Result<std::vector<ModelVersion>> latest_versions(const ModelKey& key,
                                                                    const std::vector<std::string>& stages) = 0;

    // The highest number given out so far, deleted versions included; 0 for none, or no such model.
    virtual base::Result<std::int64_t> highest_version(const ModelKey& key) = 0;

    // In the query's order. Models with all their latest versions, versions without aliases.
    virtual base::Result<std::vector<RegisteredModel>> search_models(const Query& query) = 0;
    virtual base::Result<std::vector<ModelVersion>> search_versions(const Query& query) = 0;

    // The numbers of a model's versions, ascending.
    virtual base::Result<std::vector<std::int64_t>> version_numbers(const ModelKey& key) = 0;

    // Models after `after`, in the order of workspace and name, at most `limit`.
    virtual base::Result<std::vector<ModelKey>> list_models(const std::optional<ModelKey>& after,
                                                            std::size_t limit) = 0;

    // The same of models that have aliases.
    virtual base::Result<std::vector<AliasedModel>> list_aliased_models(const std::optional<ModelKey>& after,
                                                                        std::size_t limit) = 0;

    virtual base::Result<Counts> counts() = 0;

    // Small facts that live beside the rows and change with them in one transaction.
    virtual base::Result<std::optional<std::string>> find_fact(std::string_view name) = 0;
};

// Everything is whole-entity: read it, change it, put it back.
class Writer : public Reader {
public:
    // Inserts or replaces the model with its tags and aliases. `latest_versions` is not looked at.
    virtual base::Result<void> put_model(const std::string& workspace, const RegisteredModel& model) = 0;

    // The model, its versions, and the memory of which numbers were given out. Absent ones are no error.
    virtual base::Result<void> erase_model(const ModelKey& key) = 0;

    // Takes versions, tags and aliases along. The new name must be free.
    virtual base::Result<void> rename_model(const ModelKey& key, const std::string& new_name) = 0;

    // Inserts or replaces the version with its tags; its model must exist. `aliases` is not looked at.
    virtual base::Result<void> put_version(const std::string& workspace, const ModelVersion& version) = 0;

    // With the aliases that name it; its number stays given out. Absent ones are no error.
    virtual base::Result<void> erase_version(const ModelKey& key, std::int64_t version) = 0;

    virtual base::Result<void> put_fact(std::string_view name, std::string_view value) = 0;

    // The history that is kept beside the rows and changes with them in one transaction.
    virtual AliasHistory& alias_history() = 0;

    // Says what the writes of this transaction are, for a store that keeps a history of them.
    virtual void ascribe(const Act& /*act*/) {}
};

// Calls block, from any thread.
class Store {
public:
    virtual ~Store() = default;

    virtual base::Result<void> read(const std::function<base::Result<void>(Reader&)>& work) = 0;

    // One transaction: durable when this returns a value, and nothing of it remains otherwise. Writes take turns.
    virtual base::Result<void> write(const std::function<base::Result<void>(Writer&)>& work) = 0;
};

}  // namespace registry
