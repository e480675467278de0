// The rules by which a lost create is found again. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "idempotency/intent.hpp"
#include "registry/entities.hpp"

#include <boost/json/object.hpp>

namespace idempotency {

// How long an answer that was not delivered, and one given under a key, is kept for a repeat of its call.
inline constexpr base::Duration kResendWindow = std::chrono::seconds(150);
inline constexpr base::Duration kKeyWindow = std::chrono::hours(24);

// The status on record of a call whose outcome nobody will ever know.
inline constexpr unsigned kNeverKnown = 504;

// What an answer says about a call, whoever gave it.
enum class Verdict {
    settled,          // this is the answer, for good
    not_carried_out,  // nothing was changed: the call may be repeated
    unknown,
};

// Of an answer of MLflow's, or of the registry's here.
Verdict judge_answer(Kind kind, const Answer& answer);

// What a model is like for a create that is about to be forwarded.
Baseline baseline_of(const std::optional<registry::RegisteredModel>& model);

// The same after a create was answered; nothing where that cannot be told.
std::optional<Baseline> baseline_after(Kind kind, const std::optional<Baseline>& before, const Answer& answer);

// Whether there can be something a create has made, by its model as it is now: versions first to last. Empty: no.
struct Candidates {
    std::int64_t first = 1;
    std::int64_t last = 0;

    bool operator==(const Candidates&) const = default;
};

Candidates candidates(const Baseline& before, const std::optional<registry::RegisteredModel>& model);

// Whether it is what the create asked for.
bool is_made_by(const boost::json::object& arguments, const registry::ModelVersion& version);
bool is_made_by(const boost::json::object& arguments,
                const Baseline& before,
                const std::optional<registry::RegisteredModel>& model);

// MLflow goes on with a call whose connection is gone, so what is not there yet may still come. It is believed not to
// come when it is missing still after `patience`, with MLflow answering then as before.
class Absence {
public:
    explicit Absence(base::Duration patience) : patience_(patience) {}

    // Looked for from `began` to `ended`, and not found. Whether that is believed.
    bool note(base::MonotonicTime began, base::MonotonicTime ended);

private:
    base::Duration patience_;
    std::optional<base::MonotonicTime> first_noted_;
};

// As long as was waited for an answer already, within bounds.
base::Duration patience_after(base::Duration waited);

}  // namespace idempotency
