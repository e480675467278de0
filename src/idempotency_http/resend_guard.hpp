// Calls of one worker that must not be carried out twice, on their way to whoever carries them out.
#pragma once

#include <functional>
#include <optional>

#include "auth/key_hash.hpp"
#include "base/error.hpp"
#include "base/task.hpp"
#include "http/exchange.hpp"
#include "idempotency/intent.hpp"
#include "idempotency_http/intent_book.hpp"
#include "idempotency_http/settler.hpp"
#include "mlflow/call_observer.hpp"
#include "net/worker.hpp"

namespace idempotency {

// lock of the model -> earlier creates settled -> intent on the disk -> forwarded -> settled by the answer -> answer
// acknowledged by the client. A repeat that finds its intent on record gets the answer on record instead.
//
// Lives on one worker; what it refers to outlives it.
class ResendGuard {
public:
    // Answers the exchange, whose body is there to be read, and tells the observer what became of the call unless it
    // was refused without effect.
    using Forward = std::function<base::Task<>(http::Exchange&, mlflow::CallObserver* observer)>;

    struct Deps {
        net::Worker& worker;
        IntentBook& book;
        Settler& settler;
        const auth::Pepper& pepper;
        Forward forward;
        // Somebody takes creates while the registry is away: it need not answer before they are passed on.
        bool has_stand_in = false;
    };

    explicit ResendGuard(Deps deps) : deps_(std::move(deps)), hasher_(deps_.pepper) {}

    // Answers a call for which is_protected().
    base::Task<> handle(http::Exchange& exchange);

private:
    class Observer;
    class KeyInUse;

    base::Task<base::Result<replica::ModelLocks::Held>> lock(http::Exchange& exchange, const registry::ModelKey& model);
    // `key` is that of the call, or null.
    base::Task<> handle_locked(http::Exchange& exchange, Intent intent, KeyInUse* key);
    // The new record's id; or it was answered.
    base::Task<std::optional<std::int64_t>> admit(http::Exchange& exchange, Intent& intent);
    base::Task<bool> settle_all(const std::vector<Record>& records);
    base::Task<> repeat(http::Exchange& exchange, const Record& record, const Intent& intent);
    base::Task<> carry_out(http::Exchange& exchange, Record record, KeyInUse* key);
    base::Task<> conclude(http::Exchange& exchange, const Record& record, Answer answer);

    Deps deps_;
    auth::KeyHasher hasher_;
};

}  // namespace idempotency
