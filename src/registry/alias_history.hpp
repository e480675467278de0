// What became of aliases: the changes of each, who made them, and which versions it named before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "registry/call.hpp"
#include "registry/entities.hpp"

namespace registry {

enum class AliasEvent {
    first_seen,  // it was there when its model was first looked at; nobody is known to have set it
    set,         // to a version, from another or from none
    rolled_back,
    removed,
    version_deleted,
    model_renamed,  // of the old name to none, of the new one from none
    model_deleted,
};

// How a change came to be known.
enum class ChangeSource {
    call,      // it was made by a call that passed here
    mlflow,    // seen in MLflow, where it was made elsewhere, or by a call whose answer was lost
    start_up,  // found in our own rows when the service started: an import into the data folder
};

struct AliasChange {
    std::int64_t sequence = 0;  // grows with every change; given when it is kept
    Timestamp at = 0;           // when it came to be known
    ModelKey model;
    std::string alias;
    std::optional<std::int64_t> from;  // version; nothing: it was not set
    std::optional<std::int64_t> to;
    AliasEvent event = AliasEvent::set;
    ChangeSource source = ChangeSource::call;
    Author author{};           // with the source `call` only
    std::string other_name{};  // the model's, where it was renamed

    bool operator==(const AliasChange&) const = default;
};

std::string_view to_string(AliasEvent event);
std::string_view to_string(ChangeSource source);
std::optional<AliasEvent> parse_alias_event(std::string_view text);
std::optional<ChangeSource> parse_change_source(std::string_view text);

// The port to where changes are kept. Of each model's name the last kMaxChangesOfModel are, of all together the last
// kMaxChanges; which version each alias named last is never forgotten.
class AliasHistory {
public:
    static constexpr std::int64_t kMaxChangesOfModel = 1000;
    static constexpr std::int64_t kMaxChanges = 1'000'000;

    virtual ~AliasHistory() = default;

    // All of them or none.
    virtual base::Result<void> append(const std::vector<AliasChange>& changes) = 0;

    // The newest first, at most `limit`.
    virtual base::Result<std::vector<AliasChange>> changes(const ModelKey& model, std::size_t limit) = 0;

    // As the last changes left them, by name.
    virtual base::Result<std::vector<Alias>> last_seen(const ModelKey& model) = 0;

    // Models of which an alias is last seen set, after `after`, in the order of workspace and name.
    virtual base::Result<std::vector<ModelKey>> models(const std::optional<ModelKey>& after, std::size_t limit) = 0;
};

// What a call, if it is carried out, does to aliases.
struct Act {
    AliasEvent event = AliasEvent::set;
    Author author{};
    ModelKey model;
    std::string alias{};       // of set and removed
    std::int64_t version = 0;  // of set and version_deleted
    std::string new_name{};    // of model_renamed

    // Whether it made this change of `from` and `to`.
    [[nodiscard]] bool explains(const AliasChange& change) const;
};

// Nothing: no call that changes aliases, or none that says what it is about.
std::optional<Act> act_of(const Call& call);

// The aliases of one model, as a look at it shows them.
struct AliasSight {
    ModelKey model;
    std::vector<Alias> aliases{};
    bool is_there = true;   // the model
    bool is_first = false;  // the model was not known before
};

// What has to be kept so that the history ends with what is seen. Changes that `act` does not explain come from
// `otherwise`. In the order of the aliases' names.
std::vector<AliasChange> changes_between(const std::vector<Alias>& last_seen,
                                         const AliasSight& sight,
                                         const std::optional<Act>& act,
                                         ChangeSource otherwise,
                                         Timestamp now);

// The versions the alias was deliberately left at, the oldest first: each time it was set adds one, a rollback takes
// away all behind the version it went back to, and a model that was deleted or renamed takes all. `newest_first` may
// hold changes of other aliases.
std::vector<std::int64_t> versions_left_at(const std::vector<AliasChange>& newest_first, std::string_view alias);

// What a rollback goes back to: the version the alias was left at before the present one; when it is not set, the last.
// So one rollback after the other goes further back. Nothing: there is none.
std::optional<std::int64_t> version_to_roll_back_to(const std::vector<AliasChange>& newest_first,
                                                    std::string_view alias);

}  // namespace registry
