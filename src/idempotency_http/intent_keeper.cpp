#include "idempotency_http/intent_keeper.hpp"

#include <vector>

#include "telemetry/log.hpp"

namespace idempotency {

namespace {

constexpr base::Duration kInterval = std::chrono::seconds(1);
constexpr base::Duration kLockPatience = std::chrono::milliseconds(100);  // whoever has the lock settles it too
constexpr base::Duration kOverdue = std::chrono::seconds(60);

}  // namespace

base::Task<> IntentKeeper::run() {
    while (!is_stopping_) {
        co_await do_round();
        co_await deps_.sleeper.wait_until(deps_.worker.now() + kInterval);
    }
}

base::Task<> IntentKeeper::do_round() {
    const base::Result<void> written = co_await deps_.book.write(deps_.worker);
    if (written.has_value() == is_failing_) {
        is_failing_ = !is_failing_;
        if (is_failing_) {
            telemetry::log_error("intent_journal_failing", {{"error", written.error().message}});
        } else {
            telemetry::log_info("intent_journal_works_again");
        }
    }
    for (const Record& record : deps_.book.list_open()) {
        if (is_stopping_) {
            break;
        }
        co_await settle(record);
    }
    for (const Record& record : deps_.book.take_overdue(kOverdue)) {
        telemetry::log_warn("intent_stays_unsettled",
                            {{"route", record.intent.route},
                             {"workspace", record.intent.model.workspace},
                             {"model", record.intent.model.name},
                             {"key", record.intent.principal}});
    }
}

base::Task<> IntentKeeper::settle(const Record& record) {
    replica::ModelLocks::Wait wait;
    const base::Result<replica::ModelLocks::Held> held =
        co_await deps_.book.locks.lock(deps_.worker, record.intent.model, deps_.worker.now() + kLockPatience, wait);
    if (held && deps_.book.is_open(record.id)) {
        co_await deps_.settler.look(record);
    }
}

}  // namespace idempotency
