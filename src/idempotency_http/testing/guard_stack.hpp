// A FakeMlflow whose answers may get lost, and a guard before it, on one worker.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/random.hpp"
#include "health/monitor.hpp"
#include "idempotency_http/intent_keeper.hpp"
#include "idempotency_http/resend_guard.hpp"
#include "mlflow/routes.hpp"
#include "net/testing/shared_clock.hpp"
#include "replica/registry_client.hpp"
#include "replica/testing/fake_mlflow.hpp"

#include <gtest/gtest.h>

namespace idempotency::testing {

enum class Fate {
    answered,
    lost,     // MLflow has carried it out, and nobody is told
    refused,  // before it was sent
    hung,     // MLflow carries it out later
};

// What a process knows; a new one begins with the journal.
struct Process {
    Process(net::Worker& worker,
            IntentJournal& journal,
            net::BlockingPool& pool,
            replica::UpstreamReader& registry,
            std::function<bool()> can_ask,
            std::function<base::Task<>(base::Duration)> pause,
            const auth::Pepper& pepper,
            health::Sleeper& sleeper,
            ResendGuard::Forward forward,
            bool has_stand_in)
        : book(journal, pool, worker.clock(), metrics),
          settler({worker, book, registry, std::move(can_ask), std::move(pause)}),
          keeper({worker, book, settler, sleeper}),
          guard({worker, book, settler, pepper, std::move(forward), has_stand_in}) {
        EXPECT_TRUE(book.load());
    }

    telemetry::Metrics metrics;
    IntentBook book;
    Settler settler;
    IntentKeeper keeper;
    ResendGuard guard;
};

// A worker's way to a FakeMlflow, with a guard before it.
class Stack final : public health::Sleeper {
public:
    Stack(net::Worker& worker, net::testing::SharedClock& clock, IntentJournal& journal)
        : worker_(worker), clock_(clock), journal_(journal), mlflow(worker, clock, random_) {
        restart();
    }

    // As after kill -9: what was not written is lost.
    void restart() {
        process.reset();
        process = std::make_unique<Process>(
            worker_,
            journal_,
            pool_,
            reader_,
            [this] { return can_ask; },
            [this](base::Duration duration) { return wait_until(clock_.now() + duration); },
            pepper_,
            *this,
            [this](http::Exchange& exchange, mlflow::CallObserver* observer) { return forward(exchange, observer); },
            has_stand_in);
    }

    base::Task<> wait_until(base::MonotonicTime time) override {
        clock_.advance(time - clock_.now());
        if (on_pause) {
            on_pause();
        }
        co_await net::resume_on(worker_);
    }

    base::Task<> forward(http::Exchange& exchange, mlflow::CallObserver* observer) {
        ++forwarded;
        if (on_forward) {
            on_forward();
        }
        const http::RequestHead& request = exchange.request();
        const std::string method(request.method_text);
        const std::string target(mlflow::to_upstream(request).target);
        const std::string body = (co_await exchange.read_whole_body(100'000)).value_or("");
        const Fate happens = std::exchange(fate, Fate::answered);
        clock_.advance(std::chrono::milliseconds(1));
        replica::testing::FakeAnswer answer;
        if (happens == Fate::answered || happens == Fate::lost) {
            answer = mlflow.answer(method, target, body);
            mlflow.is_down = mlflow.is_down || dies;
        }
        if (happens == Fate::answered) {
            if (observer != nullptr) {
                co_await observer->answered(answer.status, answer.body);
            }
            http::Response response;
            response.status = answer.status;
            response.body = answer.body;
            exchange.answer(response);
            co_await exchange.flush();
            while (lingers) {
                co_await net::resume_on(worker_);
            }
            co_return;
        }
        const bool was_sent = happens != Fate::refused;
        const http::Response refusal =
            http::mlflow_error_response(was_sent ? 504 : 503, "TEMPORARILY_UNAVAILABLE", "MLflow is away");
        const bool is_answered = observer != nullptr && co_await observer->failed(refusal, was_sent);
        if (!is_answered) {
            exchange.answer(refusal);
        }
    }

private:
    net::Worker& worker_;
    net::testing::SharedClock& clock_;
    IntentJournal& journal_;
    base::SeededRandom random_{1};
    const auth::Pepper pepper_{};
    net::BlockingPool pool_{1, 64};

public:
    replica::testing::FakeMlflow mlflow;

private:
    replica::RegistryClient reader_{{worker_, pool_, [this](auto question) { return mlflow.get(std::move(question)); }},
                                    {}};

public:
    std::unique_ptr<Process> process;
    std::function<void()> on_pause;
    std::function<void()> on_forward;
    Fate fate = Fate::answered;  // of the next call
    bool dies = false;           // MLflow, with it
    bool lingers = false;        // the call, after its client has the answer
    bool can_ask = true;
    bool has_stand_in = false;  // from the next restart on
    int forwarded = 0;
};

}  // namespace idempotency::testing
