#include "offline_registry/courier.hpp"

#include <utility>

#include "idempotency/rules.hpp"
#include "offline/verdict.hpp"
#include "offline_registry/model_state.hpp"
#include "offline_registry/rebase.hpp"
#include "registry/json.hpp"
#include "registry/operation.hpp"
#include "replica/reread.hpp"
#include "telemetry/log.hpp"

#include <boost/json/value.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace offline_registry {

namespace {

constexpr std::size_t kMaxAnswer = std::size_t{16} << 20U;
constexpr std::size_t kMaxDifferences = 20;
constexpr auto kLockPatience = std::chrono::seconds(30);

bool creates_version(const journal::Entry& entry) {
    return registry::find_operation(entry.method, std::string_view(entry.target).substr(0, entry.target.find('?'))) ==
           registry::Operation::create_version;
}

// 0: it names none.
std::int64_t version_in(const mlflow::UpstreamAnswer& answer) {
    const boost::json::value value = parse_json(answer.body);
    const boost::json::value* const item =
        value.is_object() ? value.get_object().if_contains("model_version") : nullptr;
    if (item == nullptr || !item->is_object()) {
        return 0;
    }
    const base::Result<registry::ModelVersion> version = registry::version_from_json(item->get_object());
    return version ? version->version : 0;
}

journal::Settlement delivery_of(const std::string& lane, const journal::Entry& entry) {
    return {.lane = lane, .delivered = {entry.sequence}, .bytes = journal::cost_of(entry)};
}

}  // namespace

Courier::Courier(Deps deps, CourierSettings settings)
    : deps_(std::move(deps)),
      settings_(settings),
      resolver_({deps_.worker, deps_.replica, deps_.reader, deps_.journal, deps_.pending}),
      started_(deps_.pace.now()),
      rounds_({deps_.pace,
               deps_.metrics,
               [this](std::string_view after, const offline::Rounds::IsReady& is_ready) {
                   return deps_.pending.next(after, is_ready);
               },
               [this](const std::string& lane) { return serve(lane); },
               [this] {
                   for (auto& [lane, care] : care_) {
                       care.doubts = 0;
                   }
               }}) {
    for (const std::string& lane : deps_.journal.lanes(kModelLanes)) {
        care_[lane].believes_absence_at = started_ + idempotency::patience_after(base::Duration(0));
    }
}

base::Task<> Courier::note_decisions() {
    if (deps_.pending.held() == 0) {
        co_return;
    }
    const base::Result<std::vector<journal::Hold>> holds = co_await deps_.journal.holds(deps_.worker);
    if (!holds) {
        co_return;
    }
    for (const journal::Hold& hold : *holds) {
        const std::optional<journal::Hold> known = deps_.pending.hold_of(hold.lane);
        if (known && known->decision != hold.decision) {
            deps_.pending.hold(hold);
        }
    }
}

base::Task<base::Result<void>> Courier::serve(const std::string& lane) {
    if (const std::optional<journal::Hold> held = deps_.pending.hold_of(lane)) {
        base::Result<void> resolved = co_await resolve(lane, *held);
        co_return resolved;
    }
    const base::Result<std::vector<journal::Entry>> head = co_await deps_.journal.head(deps_.worker, lane, 1, 1);
    if (!head) {
        co_return std::unexpected(head.error());
    }
    base::Result<void> done = co_await (head->empty() ? finish(lane) : serve_entry(lane, head->front()));
    co_return done;
}

base::Task<base::Result<void>> Courier::serve_entry(const std::string& lane, const journal::Entry& entry) {
    const base::Result<Expectation> expectation = expectation_of(entry);
    if (!expectation) {
        base::Result<void> held = co_await hold(lane, {.lane = lane}, expectation.error().message);
        co_return held;
    }
    if (care_[lane].must_look) {
        base::Result<Look> seen = co_await look(lane, *expectation);
        if (!seen) {
            co_return std::unexpected(seen.error());
        }
        if (seen->sight == Sight::as_after) {
            base::Result<void> settled = co_await settle(lane, delivery_of(lane, entry));
            co_return settled;
        }
        if (seen->sight == Sight::otherwise) {
            base::Result<void> held =
                co_await hold(lane, {.lane = lane}, "somebody else has written to it in MLflow: " + seen->differences);
            co_return held;
        }
        if (deps_.pace.now() < care_[lane].believes_absence_at) {
            co_return base::fail(base::Code::unavailable, "MLflow may be carrying an earlier call out still");
        }
    }
    base::Result<void> done = co_await deliver(lane, entry, *expectation);
    co_return done;
}

// What changes nothing is as before, and may be sent again.
base::Task<base::Result<Courier::Look>> Courier::look(const std::string& lane, const Expectation& expectation) {
    const registry::ModelKey key = model_of_lane(lane);
    const base::Result<replica::ModelView> view = co_await replica::read_whole(deps_.replica, deps_.reader, key);
    if (!view) {
        co_return std::unexpected(view.error());
    }
    const ModelState in_mlflow = state_of(*view);
    const std::string seen = fingerprint(in_mlflow);
    if (seen == expectation.before.fingerprint) {
        co_return Look{Sight::as_before, ""};
    }
    if (seen == expectation.after.fingerprint) {
        co_return Look{Sight::as_after, ""};
    }
    const base::Result<ModelState> here =
        co_await deps_.replica.read(deps_.worker, [key](registry::Reader& reader) { return state_in(reader, key); });
    const auto sentences = here ? differences(in_mlflow, *here, kMaxDifferences) : std::vector<std::string>();
    co_return Look{Sight::otherwise, fmt::format("{}", fmt::join(sentences, "; "))};
}

base::Task<base::Result<void>> Courier::deliver(const std::string& lane,
                                                const journal::Entry& entry,
                                                const Expectation& expectation) {
    care_[lane].must_look = true;  // unless its answer says that there is no need
    mlflow::UpstreamClient::Question question{.target = entry.target,
                                              .workspace = entry.workspace,
                                              .max_body = kMaxAnswer,
                                              .limit = deps_.pace.now() + settings_.patience};
    question.method = entry.method;
    question.json = entry.body;
    const base::MonotonicTime began = deps_.pace.now();
    const base::Result<mlflow::UpstreamAnswer> answer = co_await deps_.send(std::move(question));
    const base::MonotonicTime ended = deps_.pace.now();
    Care& care = care_[lane];
    const bool is_unknown = !answer || answer->status > 500 || !answer->is_whole;
    if (is_unknown) {
        care.believes_absence_at = ended + idempotency::patience_after(ended - began);
        co_return std::unexpected(answer ? offline::as_error(*answer) : answer.error());
    }
    const offline::Verdict verdict = offline::judge(*answer);
    care.doubts = verdict == offline::Verdict::doubtful ? care.doubts + 1 : 0;
    if (verdict == offline::Verdict::later ||
        (verdict == offline::Verdict::doubtful && care.doubts < offline::kDoubtfulTries)) {
        co_return std::unexpected(offline::as_error(*answer));
    }
    const auto note = verdict == offline::Verdict::delivered ? &Courier::note_delivered : &Courier::note_refused;
    base::Result<void> noted = co_await (this->*note)(lane, entry, expectation, *answer);
    co_return noted;
}

base::Task<base::Result<void>> Courier::note_delivered(const std::string& lane,
                                                       const journal::Entry& entry,
                                                       const Expectation& expectation,
                                                       const mlflow::UpstreamAnswer& answer) {
    const std::int64_t promised = expectation.after.highest_version;
    const std::int64_t given = creates_version(entry) ? version_in(answer) : promised;
    if (creates_version(entry) && given == 0) {
        co_return base::fail(base::Code::data_loss, "MLflow's answer to a new version cannot be read");
    }
    if (given == promised) {
        care_[lane].must_look = false;
        base::Result<void> settled = co_await settle(lane, delivery_of(lane, entry));
        co_return settled;
    }
    journal::Settlement settlement = delivery_of(lane, entry);
    settlement.renumbered.push_back({lane, promised, given, deps_.worker.clock().wall_now()});
    base::Result<void> held =
        co_await hold(lane,
                      std::move(settlement),
                      fmt::format("version {} was promised, and MLflow gave it the number {}", promised, given));
    co_return held;
}

// It was carried out before after all, or somebody else has changed what it needs.
base::Task<base::Result<void>> Courier::note_refused(const std::string& lane,
                                                     const journal::Entry& entry,
                                                     const Expectation& expectation,
                                                     const mlflow::UpstreamAnswer& answer) {
    const base::Result<Look> seen = co_await look(lane, expectation);
    if (!seen) {
        co_return std::unexpected(seen.error());
    }
    if (seen->sight == Sight::as_after) {
        base::Result<void> settled = co_await settle(lane, delivery_of(lane, entry));
        co_return settled;
    }
    base::Result<void> held = co_await hold(lane,
                                            {.lane = lane},
                                            fmt::format("MLflow refused what was promised: {}{}{}",
                                                        offline::reason_of(answer),
                                                        seen->differences.empty() ? "" : "; ",
                                                        seen->differences));
    co_return held;
}

base::Task<base::Result<void>> Courier::settle(const std::string& lane, journal::Settlement settlement) {
    base::Result<void> settled = co_await deps_.journal.settle(deps_.worker, std::move(settlement));
    if (!settled) {
        care_[lane].must_look = true;
        co_return settled;
    }
    if (deps_.journal.waiting(lane) == 0) {
        settled = co_await finish(lane);
    }
    co_return settled;
}

base::Task<base::Result<void>> Courier::hold(const std::string& lane,
                                             journal::Settlement settlement,
                                             std::string reason) {
    Numbers numbers;
    for (const journal::Renumbering& each : settlement.renumbered) {
        numbers.emplace(each.promised, each.given);
    }
    const journal::Hold hold{
        lane, std::move(reason), to_text(numbers), deps_.worker.clock().wall_now(), journal::Decision::none};
    settlement.hold = hold;
    base::Result<void> settled = co_await deps_.journal.settle(deps_.worker, std::move(settlement));
    if (settled) {
        deps_.pending.hold(hold);
        const registry::ModelKey key = model_of_lane(lane);
        telemetry::log_error("registry_conflict",
                             {{"workspace", key.workspace}, {"model", key.name}, {"reason", hold.reason}});
    }
    co_return settled;
}

// Reads go to MLflow again once the rows are as MLflow has the model.
base::Task<base::Result<void>> Courier::finish(const std::string& lane) {
    const registry::ModelKey key = model_of_lane(lane);
    replica::ModelLocks::Wait wait;
    const base::Result<replica::ModelLocks::Held> held =
        co_await deps_.replica.locks.lock(deps_.worker, key, deps_.pace.now() + kLockPatience, wait);
    if (!held) {
        co_return std::unexpected(held.error());
    }
    if (deps_.journal.waiting(lane) > 0) {
        co_return base::Result<void>();
    }
    const base::Result<replica::MergeOutcome> read =
        co_await replica::reread(deps_.worker, deps_.replica, deps_.reader, {.key = key, .is_within_write = true});
    if (!read) {
        co_return std::unexpected(read.error());
    }
    co_await deps_.replica.unmark(deps_.worker, key);
    deps_.when_delivered(key);
    deps_.pending.remove(key);
    care_.erase(lane);
    telemetry::log_info("registry_delivered", {{"workspace", key.workspace}, {"model", key.name}});
    co_return base::Result<void>();
}

base::Task<base::Result<void>> Courier::resolve(const std::string& lane, const journal::Hold& hold) {
    base::Result<void> resolved = co_await resolver_.resolve(lane, hold);
    care_[lane] = {};
    co_return resolved;
}

}  // namespace offline_registry
