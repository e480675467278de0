#include "idempotency_http/resend_guard.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "idempotency/rules.hpp"
#include "idempotency_http/protected_call.hpp"
#include "net/deadline.hpp"
#include "registry_http/error_response.hpp"

namespace idempotency {

namespace {

constexpr auto kAbortCheckDelay = std::chrono::seconds(1);
constexpr auto kLockPatience = std::chrono::seconds(30);
constexpr auto kSettlePatience = std::chrono::seconds(15);
constexpr auto kDeliveryPatience = std::chrono::seconds(5);

http::Response nobody_can_tell_yet() {
    return registry_http::to_response({base::Code::unavailable,
                                       "An earlier call that creates this got no answer, and MLflow has to be asked "
                                       "first what became of it; this call "
                                       "was not forwarded, try again shortly"});
}

http::Response nobody_can_tell() {
    return http::mlflow_error_response(504,
                                       "DEADLINE_EXCEEDED",
                                       "An equal call got no answer and may have been carried out; this one was not "
                                       "forwarded: look, then call again with another Idempotency-Key, or later");
}

http::Response key_reused() {
    return http::mlflow_error_response(
        422, "INVALID_PARAMETER_VALUE", "This Idempotency-Key was used for another request; use a new one");
}

http::Response not_recorded(const base::Error& error) {
    return registry_http::to_response(
        {base::Code::unavailable, "The call could not be put on record, so it was not forwarded: " + error.message});
}

}  // namespace

// Until the call under this key is over, or its answer is on record.
class ResendGuard::KeyInUse {
public:
    KeyInUse(IntentBook& book, const Intent& intent) : book_(book), identity_(intent.identity) {
        other_ = book.take_key(intent.identity, intent.request);
    }

    KeyInUse(const KeyInUse&) = delete;
    KeyInUse& operator=(const KeyInUse&) = delete;

    ~KeyInUse() {
        give_back();
    }

    void give_back() {
        if (!other_ && !std::exchange(is_given_back_, true)) {
            book_.give_key_back(identity_);
        }
    }

    [[nodiscard]] const std::optional<Digest>& other() const {
        return other_;
    }

private:
    IntentBook& book_;
    const Digest identity_;
    std::optional<Digest> other_;
    bool is_given_back_ = false;
};

// What became of a call, before its client knows. The record is open from the moment on when MLflow may have acted.
class ResendGuard::Observer final : public mlflow::CallObserver {
public:
    Observer(ResendGuard& owner, http::Exchange& exchange, const Record& record, KeyInUse* key)
        : owner_(owner), exchange_(exchange), record_(record), key_(key), began_(owner.deps_.worker.now()) {}

    base::Task<> answered(unsigned status, std::string_view body) override {
        const bool is_kept = body.size() <= kMaxAnswer && (!body.empty() || status != 200);
        answer = {status, is_kept ? std::string(body) : std::string()};
        verdict = judge_answer(record_.intent.kind, answer);
        is_answer_whole = is_kept;
        IntentBook& book = owner_.deps_.book;
        if (verdict == Verdict::settled && record_.intent.has_key && is_kept) {
            book.settle(record_.id, answer, kKeyWindow);
            // On the disk before the client can know of it; without that it is looked up, or stays unknown.
            co_await book.write(owner_.deps_.worker);
            key_->give_back();  // once its client has the answer, it may come again before this call has ended
        }
    }

    base::Task<bool> failed(const http::Response& /*refusal*/, bool may_have_been_carried_out) override {
        verdict = may_have_been_carried_out ? Verdict::unknown : Verdict::not_carried_out;
        if (!may_have_been_carried_out || !record_.intent.baseline || is_over()) {
            co_return false;
        }
        owner_.deps_.book.leave_open(record_, waited());
        std::optional<Answer> found;
        const Settler::Fate fate = co_await owner_.deps_.settler.look(record_, &found);
        if (fate == Settler::Fate::not_carried_out) {
            verdict = Verdict::not_carried_out;
        }
        if (fate != Settler::Fate::carried_out) {
            co_return false;
        }
        verdict = Verdict::settled;
        answer = std::move(*found);
        if (is_over()) {
            co_return false;
        }
        http::Response response;
        response.body = answer.body;
        exchange_.answer(response);
        co_return true;
    }

    [[nodiscard]] base::Duration waited() const {
        return owner_.deps_.worker.now() - began_;
    }

    std::optional<Verdict> verdict;  // nothing: nobody said
    Answer answer;                   // when settled
    bool is_answer_whole = true;

private:
    [[nodiscard]] bool is_over() const {
        return exchange_.is_aborted() || exchange_.answered_status() != 0;
    }

    ResendGuard& owner_;
    http::Exchange& exchange_;
    const Record& record_;
    KeyInUse* const key_;
    const base::MonotonicTime began_;
};

base::Task<> ResendGuard::handle(http::Exchange& exchange) {
    base::Result<std::optional<Intent>> intent = co_await read_intent(exchange, hasher_);
    if (!intent) {
        if (intent.error().code == base::Code::cancelled) {
            exchange.abort();
        } else {
            exchange.close_after_answer();
            exchange.answer(registry_http::to_response(intent.error()));
        }
        co_return;
    }
    if (!*intent) {
        co_await deps_.forward(exchange, nullptr);
        co_return;
    }
    std::optional<KeyInUse> key;
    if ((*intent)->has_key) {
        key.emplace(deps_.book, **intent);
        if (key->other()) {
            const bool is_same = *key->other() == (*intent)->request;
            (is_same ? deps_.book.metrics.key_in_use : deps_.book.metrics.key_reused).add();
            exchange.answer(is_same ? http::mlflow_error_response(
                                          409, "RESOURCE_CONFLICT", "A call with this Idempotency-Key is under way")
                                    : key_reused());
            co_return;
        }
    }
    if ((*intent)->kind == Kind::keyed_call) {
        co_await handle_locked(exchange, std::move(**intent), &*key);
        co_return;
    }
    const base::Result<replica::ModelLocks::Held> held = co_await lock(exchange, (*intent)->model);
    if (held) {
        co_await handle_locked(exchange, std::move(**intent), key ? &*key : nullptr);
    } else if (held.error().code != base::Code::cancelled) {
        exchange.answer(registry_http::to_response({base::Code::unavailable, held.error().message}));
    }
}

base::Task<base::Result<replica::ModelLocks::Held>> ResendGuard::lock(http::Exchange& exchange,
                                                                      const registry::ModelKey& model) {
    net::Worker& worker = deps_.worker;
    replica::ModelLocks::Wait wait;
    net::Deadline abort_check(worker.deadlines(), [&exchange] { exchange.watch_client(); });
    abort_check.set(worker.now() + kAbortCheckDelay);
    exchange.on_abort([&wait] { wait.cancel(); });
    base::Result<replica::ModelLocks::Held> held =
        co_await deps_.book.locks.lock(worker, model, worker.now() + kLockPatience, wait);
    abort_check.clear();
    exchange.stop_watching();
    co_return held;
}

base::Task<> ResendGuard::handle_locked(http::Exchange& exchange, Intent intent, KeyInUse* key) {
    const std::optional<std::int64_t> id = co_await admit(exchange, intent);
    if (id) {
        co_await carry_out(exchange, {.id = *id, .intent = std::move(intent), .answer = {}}, key);
    }
}

base::Task<std::optional<std::int64_t>> ResendGuard::admit(http::Exchange& exchange, Intent& intent) {
    IntentBook& book = deps_.book;
    bool may_record = intent.kind == Kind::keyed_call;
    for (;;) {
        if (!may_record) {
            intent.baseline = book.baseline(intent.model);
            may_record = intent.baseline.has_value();
        }
        const base::Result<Begun> begun = co_await book.begin(deps_.worker, intent, may_record);
        if (!begun) {
            book.metrics.unrecorded.add();
            exchange.answer(not_recorded(begun.error()));
            co_return std::nullopt;
        }
        if (begun->id != 0) {
            co_return begun->id;
        }
        if (begun->same &&
            (begun->same->answer || !begun->same->intent.baseline || begun->same->intent.request != intent.request)) {
            co_await repeat(exchange, *begun->same, intent);
            co_return std::nullopt;
        }
        if (!begun->unsettled.empty()) {
            const bool is_settled = co_await settle_all(begun->unsettled);
            if (!is_settled) {
                book.metrics.refused.add();
                exchange.answer(nobody_can_tell_yet());
                co_return std::nullopt;
            }
            may_record = false;  // what was known of the model is of before
            continue;
        }
        const base::Result<std::optional<Baseline>> baseline = co_await deps_.settler.baseline(intent.model);
        if (!baseline && !deps_.has_stand_in) {
            exchange.answer(registry_http::to_response(
                {base::Code::unavailable, "MLflow is unavailable: " + baseline.error().message}));
            co_return std::nullopt;
        }
        intent.baseline = baseline.value_or(std::nullopt);
        may_record = true;
    }
}

base::Task<bool> ResendGuard::settle_all(const std::vector<Record>& records) {
    const base::MonotonicTime give_up_at = deps_.worker.now() + kSettlePatience;
    for (const Record& record : records) {
        const Settler::Fate fate = co_await deps_.settler.settle(record, give_up_at);
        if (fate == Settler::Fate::missing || fate == Settler::Fate::unknown) {
            co_return false;
        }
    }
    co_return true;
}

// Of a call that is on record, and settled or never to be.
base::Task<> ResendGuard::repeat(http::Exchange& exchange, const Record& record, const Intent& intent) {
    IntentBook& book = deps_.book;
    if (record.intent.request != intent.request) {
        book.metrics.key_reused.add();
        exchange.answer(key_reused());
        co_return;
    }
    if (!record.answer || record.answer->status == kNeverKnown) {
        book.metrics.refused.add();
        exchange.answer(nobody_can_tell());
        co_return;
    }
    book.metrics.replayed.add();
    http::Response response;
    response.status = record.answer->status;
    response.body = record.answer->body;
    response.headers.emplace_back("Idempotency-Replayed", "true");
    exchange.answer(response);
    co_await conclude(exchange, record, *record.answer);
}

base::Task<> ResendGuard::carry_out(http::Exchange& exchange, Record record, KeyInUse* key) {
    IntentBook& book = deps_.book;
    Observer observer(*this, exchange, record, key);
    co_await deps_.forward(exchange, &observer);
    exchange.stop_watching();  // whoever was to be told that the client leaves is gone
    const Kind kind = record.intent.kind;
    if (!observer.verdict) {
        // Refused on the way, unless somebody carried it out who tells nobody.
        const bool is_done = exchange.answered_status() != 0 && exchange.answered_status() < 400;
        observer.verdict = is_done ? Verdict::unknown : Verdict::not_carried_out;
    }
    if (*observer.verdict == Verdict::not_carried_out) {
        book.forget(record.id);
        co_return;
    }
    if (*observer.verdict == Verdict::settled && kind != Kind::keyed_call) {
        book.note_baseline(record.intent.model, baseline_after(kind, record.intent.baseline, observer.answer));
    }
    if (*observer.verdict == Verdict::settled && observer.is_answer_whole) {
        co_await conclude(exchange, record, std::move(observer.answer));
        co_return;
    }
    book.note_baseline(record.intent.model, std::nullopt);
    if (*observer.verdict == Verdict::settled && !record.intent.has_key) {
        const bool is_delivered = co_await exchange.deliver(deps_.worker.now() + kDeliveryPatience);
        if (is_delivered) {
            book.forget(record.id);
            co_return;
        }
    }
    book.leave_open(std::move(record), observer.waited());
}

// The answer was queued or sent. What is under a key is on record for as long as the key; else what the client has
// acknowledged it will not ask for again.
base::Task<> ResendGuard::conclude(http::Exchange& exchange, const Record& record, Answer answer) {
    IntentBook& book = deps_.book;
    if (record.intent.has_key) {
        co_return;
    }
    const bool is_delivered = co_await exchange.deliver(deps_.worker.now() + kDeliveryPatience);
    if (is_delivered) {
        book.forget(record.id);
    } else {
        book.settle(record.id, std::move(answer), kResendWindow);
    }
}

}  // namespace idempotency
