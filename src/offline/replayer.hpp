// Delivers what the journal holds of runs, once MLflow is back.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"
#include "journal/journal.hpp"
#include "mlflow/pace.hpp"
#include "mlflow/upstream_client.hpp"
#include "net/worker.hpp"
#include "offline/parcel.hpp"
#include "offline/rounds.hpp"
#include "offline/verdict.hpp"
#include "telemetry/metrics.hpp"

namespace offline {

struct ReplayerSettings {
    base::Duration patience = std::chrono::seconds(110);  // with one call
};

// Lives on one worker. One call at a turn.
class Replayer {
public:
    using Send = std::function<base::Task<base::Result<mlflow::UpstreamAnswer>>(mlflow::UpstreamClient::Question)>;

    struct Deps {
        net::Worker& worker;
        journal::Journal& journal;
        mlflow::Pace& pace;
        Send send;
        telemetry::Metrics& metrics;
    };

    Replayer(Deps deps, ReplayerSettings settings);

    // As Rounds::run().
    base::Task<> run() {
        return rounds_.run();
    }

    // One call, if there is anything to deliver. What run() repeats.
    base::Task<bool> deliver_next() {
        return rounds_.serve_next();
    }

private:
    // Of a lane whose entries MLflow did not take at the first try.
    struct Care {
        unsigned doubts = 0;     // doubtful answers in a row
        std::size_t singly = 0;  // so many of its first entries were refused together
    };

    base::Task<base::Result<void>> deliver(const std::string& lane);
    base::Task<base::Result<void>> deliver(const std::string& lane, Care& care);
    base::Task<base::Result<void>> settle(const std::string& lane,
                                          Care& care,
                                          std::vector<journal::Entry> entries,
                                          const mlflow::UpstreamAnswer& answer,
                                          bool is_refused);

    Deps deps_;
    const ReplayerSettings settings_;
    std::map<std::string, Care> care_;
    Rounds rounds_;
};

}  // namespace offline
