// Delivers what the journal holds of models, once MLflow is back, as it was promised; or finds out that this can't be.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"
#include "journal/journal.hpp"
#include "mlflow/pace.hpp"
#include "mlflow/upstream_client.hpp"
#include "net/worker.hpp"
#include "offline/rounds.hpp"
#include "offline_registry/pending_models.hpp"
#include "offline_registry/promise.hpp"
#include "offline_registry/resolver.hpp"
#include "replica/replica.hpp"
#include "replica/upstream_reader.hpp"
#include "telemetry/metrics.hpp"

namespace offline_registry {

struct CourierSettings {
    base::Duration patience = std::chrono::seconds(110);  // with one call
};

// Lives on one worker. A turn of a lane is its first entry: before the first one, and whenever nobody knows what became
// of a call, MLflow's model is read as a whole. As it was before the entry: it is sent. As it was to be afterwards: it
// was carried out. Otherwise somebody else wrote to it, and the lane is held until a person decides.
class Courier {
public:
    using Send = std::function<base::Task<base::Result<mlflow::UpstreamAnswer>>(mlflow::UpstreamClient::Question)>;

    struct Deps {
        net::Worker& worker;
        replica::Replica& replica;
        replica::UpstreamReader& reader;
        journal::Journal& journal;
        PendingModels& pending;
        mlflow::Pace& pace;
        Send send;  // at most once
        telemetry::Metrics& metrics;
        std::function<void(const registry::ModelKey&)> when_delivered;  // all of a model
    };

    // What is pending now may be under way to MLflow still, sent by an earlier process.
    Courier(Deps deps, CourierSettings settings);

    // As offline::Rounds.
    base::Task<> run() {
        return rounds_.run();
    }

    base::Task<bool> serve_next() {
        return rounds_.serve_next();
    }

    // Learns what was decided of lanes that are held.
    base::Task<> note_decisions();

private:
    struct Care {
        bool must_look = true;
        base::MonotonicTime believes_absence_at;  // of what was not seen until then
        unsigned doubts = 0;                      // doubtful answers in a row
    };

    enum class Sight { as_before, as_after, otherwise };

    // What a look at MLflow's model shows, as an entry sees it.
    struct Look {
        Sight sight = Sight::otherwise;
        std::string differences;  // otherwise
    };

    base::Task<base::Result<void>> serve(const std::string& lane);
    base::Task<base::Result<void>> serve_entry(const std::string& lane, const journal::Entry& entry);
    base::Task<base::Result<Look>> look(const std::string& lane, const Expectation& expectation);
    base::Task<base::Result<void>> deliver(const std::string& lane,
                                           const journal::Entry& entry,
                                           const Expectation& expectation);
    base::Task<base::Result<void>> note_delivered(const std::string& lane,
                                                  const journal::Entry& entry,
                                                  const Expectation& expectation,
                                                  const mlflow::UpstreamAnswer& answer);
    base::Task<base::Result<void>> note_refused(const std::string& lane,
                                                const journal::Entry& entry,
                                                const Expectation& expectation,
                                                const mlflow::UpstreamAnswer& answer);
    base::Task<base::Result<void>> settle(const std::string& lane, journal::Settlement settlement);
    base::Task<base::Result<void>> hold(const std::string& lane, journal::Settlement settlement, std::string reason);
    base::Task<base::Result<void>> finish(const std::string& lane);
    base::Task<base::Result<void>> resolve(const std::string& lane, const journal::Hold& hold);

    Deps deps_;
    const CourierSettings settings_;
    Resolver resolver_;
    std::map<std::string, Care> care_;
    const base::MonotonicTime started_;
    offline::Rounds rounds_;
};

}  // namespace offline_registry
