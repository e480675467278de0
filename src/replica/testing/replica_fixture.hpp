// A replica of a FakeMlflow, and everything around it, on one worker whose loop the test runs.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "mlflow/pace.hpp"
#include "mlflow/testing/clock_sleeper.hpp"
#include "net/blocking_pool.hpp"
#include "net/testing/run_on.hpp"
#include "net/testing/shared_clock.hpp"
#include "net/worker.hpp"
#include "registry/testing/memory_store.hpp"
#include "replica/local_write.hpp"
#include "replica/reconciler.hpp"
#include "replica/registry_client.hpp"
#include "replica/replica.hpp"
#include "replica/sweep.hpp"
#include "replica/testing/fake_mlflow.hpp"
#include "replica/testing/faulty_store.hpp"

#include <gtest/gtest.h>

namespace replica::testing {

class ReplicaTest : public ::testing::Test {
protected:
    explicit ReplicaTest(std::size_t page_size = 500, std::uint64_t seed = 1) : random_(seed), page_size_(page_size) {
        EXPECT_TRUE(replica_.open("http://mlflow:5000"));
    }

    template <class T>
    T run(base::Task<T> task) {
        return net::testing::run_here(worker_, std::move(task));
    }

    // A write of somebody who does not pass here.
    FakeAnswer elsewhere(std::string_view method, std::string_view path, std::string body, std::string workspace = {}) {
        clock_.advance(std::chrono::milliseconds(1));
        return mlflow_.answer(method, "/api/2.0/mlflow/" + std::string(path), std::move(body), std::move(workspace));
    }

    void sweep() {
        Sweep sweep(sweep_deps());
        base::Result<bool> is_done = false;
        while (is_done && !*is_done) {
            is_done = run(sweep.step());
        }
        ASSERT_TRUE(is_done) << is_done.error().message;
    }

    [[nodiscard]] SweepDeps sweep_deps() {
        return {worker_, replica_, reader_, pace_};
    }

    static registry::Call call_of(std::string_view method, std::string_view target, std::string body = {}) {
        const std::size_t question = target.find('?');
        registry::Call call;
        call.operation =
            *registry::find_operation(method, "/api/2.0/mlflow/" + std::string(target.substr(0, question)));
        call.method = method;
        call.query = question == std::string_view::npos ? "" : target.substr(question + 1);
        call.content_type = "application/json";
        call.body = std::move(body);
        return call;
    }

    // What the replica answers by itself: its status, or 0 where it can't tell.
    unsigned status_of(std::string_view target, std::string workspace = {}) {
        const std::optional<http::Response> response = response_to(target, std::move(workspace));
        return response ? response->status : 0;
    }

    std::optional<http::Response> response_to(std::string_view target, std::string workspace = {}) {
        registry::Call call = call_of("GET", target);
        call.workspace = std::move(workspace);
        CallTarget wanted = target_of(call).value();
        return run(replica_.answer(worker_, std::move(call), std::move(wanted)));
    }

    // What `look` finds in the replica's rows.
    template <class Look>
    auto store_read(Look look) {
        decltype(look(std::declval<registry::Reader&>())) found{};
        EXPECT_TRUE(store_.rows.read([&](registry::Reader& reader) -> base::Result<void> {
            found = look(reader);
            return {};
        }));
        return found;
    }

    enum class Fate { answered, lost_after, refused, answer_unread };

    // A write through this process; MLflow's answer, or 0.
    unsigned write(std::string_view method, std::string_view path, std::string body, Fate fate = Fate::answered) {
        return run(write_task(call_of(method, path, std::move(body)), fate));
    }

    base::Task<unsigned> write_task(registry::Call call, Fate fate) {
        CallTarget target = target_of(call).value();
        LocalWrite write(worker_, replica_, reader_, call, std::move(target));
        ModelLocks::Wait wait;
        const base::Result<void> begun = co_await write.begin(clock_.now() + std::chrono::hours(1), wait);
        EXPECT_TRUE(begun);
        co_await mlflow_.dawdle();
        if (fate == Fate::refused || mlflow_.is_away()) {
            co_await write.failed(false);
            co_return 0;
        }
        clock_.advance(std::chrono::milliseconds(1));
        const FakeAnswer answer = mlflow_.answer(call);
        co_await mlflow_.dawdle();
        if (fate == Fate::lost_after) {
            co_await write.failed(true);
            co_return 0;
        }
        mlflow_.hidden_from += fate == Fate::answer_unread ? 1 : 0;
        co_await write.answered(answer.status, answer.body);
        mlflow_.hidden_from -= fate == Fate::answer_unread ? 1 : 0;
        on_answered(call);
        co_return answer.status;
    }

    // Before anybody else runs.
    virtual void on_answered(const registry::Call& /*call*/) {}

    [[nodiscard]] bool is_equal() {
        return rows_of(store_.rows) == rows_of(mlflow_.store);
    }

    net::testing::SharedClock clock_;
    base::SeededRandom random_;
    const std::size_t page_size_;
    net::Worker worker_{"worker", 0, clock_};
    FakeMlflow mlflow_{worker_, clock_, random_};
    FaultyStore store_;
    net::BlockingPool pool_{1, 64};
    Replica replica_{store_, pool_, clock_};
    RegistryClient reader_{{worker_, pool_, [this](auto question) { return mlflow_.get(std::move(question)); }},
                           {.page_size = page_size_}};
    mlflow::testing::ClockSleeper sleeper_{clock_, worker_};
    mlflow::Pace pace_{{clock_, sleeper_, [this] { return !mlflow_.is_away(); }, [this] { return is_crowded_; }}};
    telemetry::Metrics metrics_;
    bool is_crowded_ = false;
};

}  // namespace replica::testing
