// Compares the whole replica with MLflow once: pages of models, pages of versions, then one by one what did not fit.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"
#include "mlflow/pace.hpp"
#include "net/worker.hpp"
#include "replica/replica.hpp"
#include "replica/upstream_reader.hpp"

namespace replica {

struct SweepDeps {
    net::Worker& worker;
    Replica& replica;
    UpstreamReader& reader;
    mlflow::Pace& pace;
};

// Lives on one worker.
class Sweep {
public:
    using WithoutUri = std::pair<registry::ModelKey, VersionWithoutUri>;

    // A first filling goes on at its last position; any other sweep sees everything itself.
    explicit Sweep(SweepDeps deps);

    // One question, or a few about one model, and what follows from its answer. True: all is compared and recorded.
    // After an error of MLflow's or of the store's the same step can be taken again.
    base::Task<base::Result<bool>> step();

    // Versions found so far of which nobody knows where their artifacts are.
    std::vector<WithoutUri> take_without_uri() {
        return std::exchange(without_uri_, {});
    }

    [[nodiscard]] bool is_filling() const {
        return filling_ == Filling::rows;
    }

    [[nodiscard]] base::MonotonicTime began() const {
        return began_;
    }

    [[nodiscard]] const SweepRecord& record() const {
        return record_;
    }

private:
    enum class Phase { models, prompts, versions, prompt_versions, absent, rereading, done };

    // Where among the pages.
    struct Place {
        std::size_t workspace = 0;
        Phase phase = Phase::models;
        std::string token;
    };

    struct Pages {
        std::vector<ModelView> views;
        std::int64_t rows = 0;
        std::string next_token;
    };

    static std::string_view to_string(Phase phase);
    base::Task<base::Result<void>> list_workspaces();
    base::Task<base::Result<void>> read_page();
    base::Task<base::Result<Pages>> ask_for_page();
    base::Task<base::Result<void>> look_for_absent();
    base::Task<base::Result<void>> reread_next();
    base::Task<base::Result<void>> reread_model(registry::ModelKey key);
    base::Task<base::Result<void>> finish();
    void note_seen(const std::vector<ModelView>& views);
    void take_outcome(MergeOutcome outcome);
    [[nodiscard]] Place place_after(const std::string& next_token) const;
    [[nodiscard]] Position position_at(const Place& place, std::int64_t rows) const;

    SweepDeps deps_;
    base::MonotonicTime began_;
    const Filling filling_;
    std::optional<Position> resumed_at_;
    SweepRecord record_;
    std::vector<std::string> workspaces_;
    Place place_;
    std::map<registry::ModelKey, std::vector<std::int64_t>> seen_;
    std::optional<registry::ModelKey> looked_until_;
    std::set<registry::ModelKey> to_reread_;
    std::map<registry::ModelKey, unsigned> failures_;
    std::vector<WithoutUri> without_uri_;
};

}  // namespace replica
