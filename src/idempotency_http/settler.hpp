// Finds out what became of creates whose answer was lost, by looking at the registry they were meant for.
#pragma once

#include <functional>
#include <optional>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"
#include "idempotency/intent.hpp"
#include "idempotency_http/intent_book.hpp"
#include "net/worker.hpp"
#include "replica/upstream_reader.hpp"

namespace idempotency {

// Lives on one worker. Whoever asks holds the model's lock.
class Settler {
public:
    enum class Fate {
        carried_out,      // its answer is on record
        not_carried_out,  // it is forgotten
        missing,          // not there, which may change
        unknown,          // the registry does not answer
    };

    struct Deps {
        net::Worker& worker;
        IntentBook& book;
        replica::UpstreamReader& registry;
        std::function<bool()> can_ask;  // false: the registry is known to be away
        std::function<base::Task<>(base::Duration)> pause;
    };

    explicit Settler(Deps deps) : deps_(std::move(deps)) {}

    // One look. For creates with a baseline; `answer` gets what was found.
    base::Task<Fate> look(const Record& record, std::optional<Answer>* answer = nullptr);

    // Until it is known, the registry does not answer, or `give_up_at`.
    base::Task<Fate> settle(const Record& record, base::MonotonicTime give_up_at);

    // What the model is like before a create. Nothing when nobody can look, so that creates can't be settled.
    base::Task<base::Result<std::optional<Baseline>>> baseline(const registry::ModelKey& model);

private:
    base::Task<base::Result<std::optional<Answer>>> find(const Intent& intent);

    Deps deps_;
};

}  // namespace idempotency
