// Settles in the background what no caller comes back for, and keeps the journal short.
#pragma once

#include "base/clock.hpp"
#include "base/task.hpp"
#include "health/monitor.hpp"
#include "idempotency_http/intent_book.hpp"
#include "idempotency_http/settler.hpp"
#include "net/worker.hpp"

namespace idempotency {

// Lives on one worker.
class IntentKeeper {
public:
    struct Deps {
        net::Worker& worker;
        IntentBook& book;
        Settler& settler;
        health::Sleeper& sleeper;
    };

    explicit IntentKeeper(const Deps& deps) : deps_(deps) {}

    // Until stopped and woken.
    base::Task<> run();

    void stop() {
        is_stopping_ = true;
    }

    // What run() repeats every second.
    base::Task<> do_round();

private:
    base::Task<> settle(const Record& record);

    Deps deps_;
    bool is_stopping_ = false;
    bool is_failing_ = false;  // the journal; for the log
};

}  // namespace idempotency
