// What a handler of this API works with while it answers one request.
#pragma once

#include <algorithm>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/task.hpp"
#include "models/mlflow_api.hpp"
#include "models/registrations.hpp"
#include "models/run_facts.hpp"
#include "net/blocking_pool.hpp"
#include "net/worker.hpp"

namespace models {

// How old the answer is: as old as the oldest copy it was made from.
struct Freshness {
    bool is_copy = false;
    unsigned age = 0;  // seconds

    void note(unsigned age_of_copy) {
        is_copy = true;
        age = std::max(age, age_of_copy);
    }
};

// Notes which answers are copies.
class WatchedApi final : public MlflowApi {
public:
    WatchedApi(MlflowApi& mlflow, Freshness& freshness) : mlflow_(mlflow), freshness_(freshness) {}

    base::Task<base::Result<ApiAnswer>> call(ApiCall call) override {
        base::Result<ApiAnswer> answer = co_await mlflow_.call(std::move(call));
        if (answer && answer->is_copy) {
            freshness_.note(answer->age);
        }
        co_return answer;
    }

    void abort() override {
        mlflow_.abort();
    }

    [[nodiscard]] bool is_reachable() const override {
        return mlflow_.is_reachable();
    }

    [[nodiscard]] bool has_runs() const override {
        return mlflow_.has_runs();
    }

private:
    MlflowApi& mlflow_;
    Freshness& freshness_;
};

struct Context {
    net::Worker& worker;
    net::BlockingPool& pool;
    RunFactsStore& run_facts;
    Registrations& registrations;
    MlflowApi& mlflow;
    Freshness& freshness;
};

enum class Wanted {
    latest,   // asked of MLflow, if it can be
    of_ended  // what is kept of a run that has ended will do
};

struct ReadFacts {
    std::optional<RunFacts> facts;  // nothing: nobody knows of it, or MLflow is away and nothing is kept
    bool was_asked = false;         // MLflow was
};

// What is recorded of a run; what MLflow tells is kept.
base::Task<ReadFacts> read_facts(Context& context, std::string run_id, Wanted wanted);

}  // namespace models
