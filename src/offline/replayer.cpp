#include "offline/replayer.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "offline/run_call.hpp"
#include "registry/json.hpp"
#include "telemetry/log.hpp"

#include <fmt/format.h>

namespace offline {

namespace {

constexpr double kShare = 0.5;
constexpr std::size_t kMaxAnswer = 64UL * 1024;
constexpr std::size_t kMaxReason = 1000;
constexpr base::Duration kLookAgain = std::chrono::milliseconds(250);
constexpr base::Duration kYieldAtMost = std::chrono::seconds(5);
constexpr base::Duration kFirstRest = std::chrono::seconds(1);
constexpr base::Duration kLongestRest = std::chrono::seconds(60);
constexpr unsigned kDoubtfulTries = 10;  // over some four minutes
constexpr base::Duration kBetweenWarnings = std::chrono::seconds(10);

// "INVALID_PARAMETER_VALUE: Invalid value ...", cut between characters.
std::string reason_of(const mlflow::UpstreamAnswer& answer) {
    const auto error = parse_object(answer.body);
    std::string reason =
        error ? registry::text_at(*error, "error_code") + ": " + registry::text_at(*error, "message") : answer.body;
    if (reason.size() > kMaxReason) {
        std::size_t end = kMaxReason;
        while (end > 0 && (static_cast<unsigned char>(reason[end]) & 0xC0U) == 0x80U) {
            --end;
        }
        reason.resize(end);
    }
    return reason;
}

base::Error as_error(const mlflow::UpstreamAnswer& answer) {
    return {base::Code::unavailable, fmt::format("MLflow answered {}: {}", answer.status, reason_of(answer))};
}

}  // namespace

// 401 and 403 are about the gateway's own credentials, and an answer without MLflow's error code came from somebody
// else.
Verdict judge(const mlflow::UpstreamAnswer& answer) {
    if (answer.status == 200) {
        return Verdict::delivered;
    }
    constexpr std::array kPassing{401U, 403U, 407U, 408U, 425U, 429U};
    const bool may_pass =
        answer.status < 400 || answer.status > 500 || std::ranges::find(kPassing, answer.status) != kPassing.end();
    const auto error = may_pass ? std::nullopt : parse_object(answer.body);
    const std::string code = error ? registry::text_at(*error, "error_code") : "";
    if (code.empty() || code == "ENDPOINT_NOT_FOUND") {
        return Verdict::later;
    }
    return code == "BAD_REQUEST" || answer.status == 500 ? Verdict::doubtful : Verdict::refused;
}

Replayer::Replayer(Deps deps, ReplayerSettings settings)
    : deps_(std::move(deps)),
      settings_(settings),
      failures_(deps_.metrics.counter("hokusai_journal_delivery_failures_total",
                                      "Attempts to deliver calls of the journal that will be repeated.")) {}

base::Task<> Replayer::run() {
    while (!deps_.pace.is_stopping()) {
        note_reachable(deps_.pace.is_reachable());
        bool has_delivered = false;
        if (!was_away_) {
            has_delivered = co_await deliver_next();
        }
        if (!has_delivered) {
            co_await deps_.pace.rest(kLookAgain);
        }
    }
}

// What failed before says little once MLflow is back.
void Replayer::note_reachable(bool is_reachable) {
    if (is_reachable && was_away_) {
        for (auto& [lane, care] : care_) {
            care.failures = 0;
            care.doubts = 0;
            care.rests_until = {};
        }
    }
    was_away_ = !is_reachable;
}

bool Replayer::is_ready(const std::string& lane) const {
    const auto care = care_.find(lane);
    return care == care_.end() || (!care->second.is_busy && deps_.pace.now() >= care->second.rests_until);
}

base::Task<bool> Replayer::deliver_next() {
    const std::optional<std::string> lane =
        deps_.journal.next_lane(last_lane_, [this](const std::string& candidate) { return is_ready(candidate); });
    if (!lane) {
        co_return false;
    }
    last_lane_ = *lane;
    Care& care = care_[*lane];
    care.is_busy = true;
    base::Result<void> done = co_await deps_.pace.before_question(kYieldAtMost);
    const base::MonotonicTime began = deps_.pace.now();
    if (done) {
        done = co_await deliver(*lane, care);
    }
    care.is_busy = false;
    if (!done) {
        put_off(*lane, care, done.error());
    } else if (care.singly == 0) {
        care_.erase(*lane);
    }
    co_await deps_.pace.after_question(deps_.pace.now() - began, kShare);
    co_return true;
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
        care.failures = 0;
        care.doubts = 0;
        care.singly -= std::min(care.singly, entries.size());
    }
    co_return settled;
}

void Replayer::put_off(const std::string& lane, Care& care, const base::Error& error) {
    const base::MonotonicTime now = deps_.pace.now();
    if (deps_.pace.is_stopping() || !deps_.pace.is_reachable()) {
        return;
    }
    failures_.add();
    const base::Duration rest =
        std::min<base::Duration>(kFirstRest * (1U << std::min(care.failures, 6U)), kLongestRest);
    ++care.failures;
    care.rests_until = now + rest;
    if (now >= next_warning_) {
        next_warning_ = now + kBetweenWarnings;
        telemetry::log_warn("journal_delivery_failed",
                            {{"lane", lane},
                             {"error", error.message},
                             {"failures", care.failures},
                             {"next_in_seconds", std::chrono::duration<double>(rest).count()}});
    }
}

}  // namespace offline
