// A store whose changes of aliases are kept in a history, whoever made them.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "registry/alias_history.hpp"
#include "registry/store.hpp"

namespace registry {

// All writes of the other store go through it. Blocks as that does; safe from any thread. What it is given outlives it.
class RecordedStore final : public Store {
public:
    // Rows of our own: the history is the store's, and each change is kept in the transaction that makes it.
    RecordedStore(Store& store, const base::Clock& clock) : store_(store), clock_(clock) {}

    // A copy of MLflow's rows: `beside` is another database, which learns of a change once the copy has it. It is
    // compared with what was kept last, not with the rows before, so nothing is missed when the copy was lost, or the
    // process died between the two.
    RecordedStore(Store& copy, const base::Clock& clock, AliasHistory& beside)
        : store_(copy), clock_(clock), beside_(&beside) {}

    // Whether a model that is not among the rows is known not to be there.
    enum class Absence { counts, says_nothing };

    // Compares everything and keeps what differs.
    base::Result<void> compare(Absence absence);

    base::Result<void> read(const std::function<base::Result<void>(Reader&)>& work) override;

    // When the history beside does not take a change, the rows have it all the same; each later write tries again, and
    // so does compare().
    base::Result<void> write(const std::function<base::Result<void>(Writer&)>& work) override;

    // Models whose last changes the history beside has not taken.
    [[nodiscard]] std::size_t models_behind() const;

private:
    class TouchNotes;

    // Until the next start the history misses what goes beyond.
    static constexpr std::size_t kMaxBehind = 10'000;

    base::Result<void> keep(AliasHistory& history,
                            const std::vector<AliasSight>& sights,
                            const std::optional<Act>& act);

    // What is to be looked at, given the rows and the history.
    using Look = std::function<base::Result<void>(Reader&, AliasHistory&, std::vector<AliasSight>&)>;
    base::Result<void> look_and_keep(const Look& look);
    base::Result<void> compare_present(bool is_first_look);
    base::Result<void> compare_absent();
    void keep_beside(const std::vector<AliasSight>& sights, const std::optional<Act>& act);
    void catch_up();
    void note_behind(const std::vector<AliasSight>& sights);

    Store& store_;
    const base::Clock& clock_;
    AliasHistory* const beside_ = nullptr;
    std::mutex writing_;        // a commit and what the history learns of it are one step, in one order
    mutable std::mutex mutex_;  // guards behind_
    std::set<ModelKey> behind_;
};

}  // namespace registry
