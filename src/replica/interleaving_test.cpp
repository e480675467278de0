// Random interleavings of writes here, writes elsewhere, reads, sweeps and faults: whatever happened, the replica shows
// what was answered through this process, and in the end it is MLflow's equal.
#include <set>

#include "replica/reread.hpp"
#include "replica/testing/replica_fixture.hpp"

#include <fmt/format.h>

namespace replica {
namespace {

class InterleavingTest : public testing::ReplicaTest {
protected:
    explicit InterleavingTest(std::uint64_t seed = 1) : testing::ReplicaTest(3, seed), chance_(seed * 7919) {
        mlflow_.most_turns = 6;
    }

    std::uint64_t pick(std::uint64_t count) {
        return chance_.next() % count;
    }

    std::string name() {
        return fmt::format("m{}", pick(4));
    }

    registry::Call random_write() {
        const std::string model = name();
        const auto version = pick(4) + 1;
        const auto value = pick(1000);
        const auto of_version = [&](std::string_view more) {
            return fmt::format(R"({{"name": "{}", "version": "{}"{}}})", model, version, more);
        };
        switch (pick(14)) {
            case 0:
            case 1:
                return call_of("POST", "registered-models/create", fmt::format(R"({{"name": "{}"}})", model));
            case 2:
                return call_of("POST",
                               "registered-models/rename",
                               fmt::format(R"({{"name": "{}", "new_name": "{}"}})", model, name()));
            case 3:
                return call_of("DELETE", "registered-models/delete", fmt::format(R"({{"name": "{}"}})", model));
            case 4:
                return call_of("PATCH",
                               "registered-models/update",
                               fmt::format(R"({{"name": "{}", "description": "{}"}})", model, value));
            case 5:
                return call_of("POST",
                               "registered-models/set-tag",
                               fmt::format(R"({{"name": "{}", "key": "k", "value": "{}"}})", model, value));
            case 6:
                return call_of("POST", "registered-models/alias", of_version(R"(, "alias": "champion")"));
            case 7:
                return call_of("DELETE",
                               "registered-models/alias",
                               fmt::format(R"({{"name": "{}", "alias": "champion"}})", model));
            case 8:
            case 9:
            case 10:
                return call_of("POST",
                               "model-versions/create",
                               fmt::format(R"({{"name": "{}", "source": "s3://b/{}"}})", model, value));
            case 11:
                return call_of("POST",
                               "model-versions/transition-stage",
                               of_version(R"(, "stage": "Production", "archive_existing_versions": true)"));
            case 12:
                return call_of("DELETE", "model-versions/delete", of_version(""));
            default:
                return call_of(
                    "POST", "model-versions/set-tag", of_version(fmt::format(R"(, "key": "k", "value": "{}")", value)));
        }
    }

    base::Task<> write_here(int times, bool has_faults) {
        for (int i = 0; i < times; ++i) {
            Fate fate = Fate::answered;
            if (has_faults && pick(10) == 0) {
                fate = pick(2) == 0 ? Fate::lost_after : Fate::answer_unread;
            }
            co_await write_task(random_write(), fate);
            co_await mlflow_.dawdle();
        }
        ++ended_;
    }

    base::Task<> write_elsewhere(int times) {
        for (int i = 0; i < times; ++i) {
            co_await mlflow_.dawdle();
            clock_.advance(std::chrono::milliseconds(1));
            mlflow_.answer(random_write());
        }
        ++ended_;
    }

    // As a client's read that passes through does.
    base::Task<> read_through(int times) {
        for (int i = 0; i < times; ++i) {
            co_await mlflow_.dawdle();
            const registry::Call call =
                pick(2) == 0
                    ? call_of("GET", "registered-models/get?name=" + name())
                    : call_of("GET", fmt::format("model-versions/get?name={}&version={}", name(), pick(4) + 1));
            const Asked asked = replica_.ask();
            co_await mlflow_.dawdle();
            const testing::FakeAnswer answer = mlflow_.answer(call);
            co_await mlflow_.dawdle();
            std::optional<ModelView> view = view_of(call, target_of(call).value(), answer.body, asked);
            if (answer.status == 200 && view && replica_.is_complete()) {
                Replica::Merge merge;
                merge.views.push_back(std::move(*view));
                co_await replica_.merge(worker_, std::move(merge));
            }
        }
        ++ended_;
    }

    base::Task<> break_things(int times) {
        for (int i = 0; i < times; ++i) {
            for (std::uint64_t turns = pick(200); turns > 0; --turns) {
                co_await net::resume_on(worker_);
            }
            mlflow_.is_down = pick(4) == 0;
            store_.is_broken = pick(8) == 0;
            mlflow_.failure_rate = pick(4) == 0 ? 0.2 : 0;
        }
        mlflow_.is_down = false;
        store_.is_broken = false;
        mlflow_.failure_rate = 0;
        ++ended_;
    }

    void play(int tasks, Reconciler& reconciler) {
        auto running = net::testing::start_on(worker_, reconciler.run());
        while (ended_ < tasks) {
            worker_.context().run_one();
        }
        // Whatever was missed is found by a sweep that begins from here on.
        const base::MonotonicTime calm_at = clock_.now();
        while (replica_.confirmations.last_sweep() <= calm_at || !replica_.marked().empty()) {
            ASSERT_LT(clock_.now() - calm_at, std::chrono::hours(1)) << "the replica never came to rest";
            worker_.context().run_one();
        }
        reconciler.stop();
        while (running.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
            worker_.context().run_one();
        }
    }

    // Nobody writes elsewhere: what has been answered is what MLflow has.
    void expect_own_write(const registry::Call& call) {
        const CallTarget target = target_of(call).value();
        for (const registry::ModelKey& key : target.models()) {
            EXPECT_EQ(rows_of_model(store_.rows, key), rows_of_model(mlflow_.store, key)) << call.body;
        }
    }

    static std::vector<std::string> rows_of_model(registry::Store& store, const registry::ModelKey& key) {
        std::vector<std::string> rows = testing::rows_of(store);
        std::erase_if(rows, [&](const std::string& row) {
            return row.find(fmt::format(R"("name":"{}")", key.name)) == std::string::npos;
        });
        return rows;
    }

    void on_answered(const registry::Call& call) override {
        if (checks_own_writes_) {
            expect_own_write(call);
        }
    }

    base::SeededRandom chance_;
    bool checks_own_writes_ = false;
    int ended_ = 0;
};

class Interleaving : public InterleavingTest, public ::testing::WithParamInterface<int> {
protected:
    Interleaving() : InterleavingTest(static_cast<std::uint64_t>(GetParam()) + 1) {}
};

TEST_P(Interleaving, of_writes_here_with_sweeps_shows_every_write_at_once) {
    checks_own_writes_ = true;
    Reconciler reconciler(sweep_deps(), {.interval = std::chrono::milliseconds(1)}, metrics_);
    for (int i = 0; i < 3; ++i) {
        worker_.tasks().spawn("write", write_here(40, false));
    }
    worker_.tasks().spawn("read", read_through(60));
    play(4, reconciler);
    EXPECT_TRUE(is_equal());
}

TEST_P(Interleaving, of_everything_ends_with_the_rows_of_mlflow) {
    Reconciler reconciler(sweep_deps(), {.interval = std::chrono::milliseconds(1)}, metrics_);
    for (int i = 0; i < 2; ++i) {
        worker_.tasks().spawn("write", write_here(40, true));
    }
    worker_.tasks().spawn("elsewhere", write_elsewhere(60));
    worker_.tasks().spawn("read", read_through(60));
    worker_.tasks().spawn("break", break_things(12));
    play(5, reconciler);
    EXPECT_EQ(testing::rows_of(store_.rows), testing::rows_of(mlflow_.store));
    EXPECT_EQ(replica_.confirmations.lost(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Interleaving, ::testing::Range(0, 40));

}  // namespace
}  // namespace replica
