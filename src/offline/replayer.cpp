#include "offline/replayer.hpp"

#include <algorithm>
#include <utility>

#include "offline/run_call.hpp"
#include "telemetry/log.hpp"

namespace offline {

namespace {

constexpr std::size_t kMaxAnswer = 64UL * 1024;

bool is_run(const std::string& lane) {
    return lane.starts_with(kRunLanes);
}

}  // namespace

Replayer::Replayer(Deps deps, ReplayerSettings settings)
    : deps_(std::move(deps)),
      settings_(settings),
      rounds_({deps_.pace,
               deps_.metrics,
               [this](std::string_view after, const Rounds::IsReady& is_ready) {
                   return deps_.journal.next_lane(
                       after, [&](const std::string& lane) { return is_run(lane) && is_ready(lane); });
               },
               [this](const std::string& lane) { return deliver(lane); },
               [this] {
                   for (auto& [lane, care] : care_) {
                       care.doubts = 0;
                   }
               }}) {}

base::Task<base::Result<void>> Replayer::deliver(const std::string& lane) {
    Care& care = care_[lane];
    base::Result<void> done = co_await deliver(lane, care);
    if (done && care.singly == 0) {
        care_.erase(lane);
    }
    co_return done;
}

base::Task<base::Result<void>> Replayer::deliver(const std::string& lane, Care& care) {
    base::Result<std::vector<journal::Entry>> head =
        co_await deps_.journal.head(deps_.worker, lane, care.singly > 0 ? 1 : kMaxParcelEntries, kMaxParcelBytes);
    if (!head || head->empty()) {
        co_return head ? base::fail(base::Code::data_loss, "entries are missing from the journal's file")
                       : std::unexpected(head.error());
    }
    Parcel parcel = pack(*head);
    head->resize(parcel.entries);
    mlflow::UpstreamClient::Question question{.target = std::move(parcel.target),
                                              .workspace = std::move(parcel.workspace),
                                              .max_body = kMaxAnswer,
                                              .limit = deps_.pace.now() + settings_.patience};
    question.method = parcel.method;
    question.json = std::move(parcel.body);
    const base::Result<mlflow::UpstreamAnswer> answer = co_await deps_.send(std::move(question));
    if (!answer) {
        co_return std::unexpected(answer.error());
    }
    const Verdict verdict = judge(*answer);
    if (parcel.entries > 1 && (verdict == Verdict::refused || verdict == Verdict::doubtful)) {
        care.singly = parcel.entries;
        co_return base::Result<void>();
    }
    care.doubts = verdict == Verdict::doubtful ? care.doubts + 1 : 0;
    if (verdict == Verdict::later || (verdict == Verdict::doubtful && care.doubts < kDoubtfulTries)) {
        co_return std::unexpected(as_error(*answer));
    }
    base::Result<void> settled = co_await settle(lane, care, std::move(*head), *answer, verdict != Verdict::delivered);
    co_return settled;
}

base::Task<base::Result<void>> Replayer::settle(const std::string& lane,
                                                Care& care,
                                                std::vector<journal::Entry> entries,
                                                const mlflow::UpstreamAnswer& answer,
                                                bool is_refused) {
    journal::Settlement settlement;
    settlement.lane = lane;
    for (const journal::Entry& entry : entries) {
        settlement.bytes += journal::cost_of(entry);
        if (!is_refused) {
            settlement.delivered.push_back(entry.sequence);
            continue;
        }
        const std::string reason = reason_of(answer);
        telemetry::log_warn("journal_rejected",
                            {{"lane", lane}, {"call", entry.target}, {"status", answer.status}, {"reason", reason}});
        settlement.rejected.push_back({entry.sequence, answer.status, reason, deps_.worker.clock().wall_now()});
    }
    base::Result<void> settled = co_await deps_.journal.settle(deps_.worker, std::move(settlement));
    if (settled) {
        care.doubts = 0;
        care.singly -= std::min(care.singly, entries.size());
    }
    co_return settled;
}

}  // namespace offline
