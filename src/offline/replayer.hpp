// Delivers what the journal holds, once MLflow is back.
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
#include "telemetry/metrics.hpp"

namespace offline {

// What an answer of MLflow means for what it was sent.
enum class Verdict {
    delivered,
    refused,   // for good, in MLflow's own words
    doubtful,  // the same words for a fault of MLflow's database and for a call it can't store
    later,     // anything that another time may make good
};

Verdict judge(const mlflow::UpstreamAnswer& answer);

struct ReplayerSettings {
    base::Duration patience = std::chrono::seconds(110);  // with one call
};

// Lives on one worker. Lanes take turns, one call each; a lane whose call failed rests, alone, for longer each time.
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

    // Until the pace is stopped and its sleeper woken. Run it several times to have as many calls under way at once.
    base::Task<> run();

    // One call, if there is anything to deliver. What run() repeats.
    base::Task<bool> deliver_next();

private:
    // Of a lane that is being delivered, or was not delivered at the first try.
    struct Care {
        bool is_busy = false;
        unsigned failures = 0;
        unsigned doubts = 0;  // doubtful answers in a row
        base::MonotonicTime rests_until;
        std::size_t singly = 0;  // so many of its first entries were refused together
    };

    [[nodiscard]] bool is_ready(const std::string& lane) const;
    void note_reachable(bool is_reachable);
    base::Task<base::Result<void>> deliver(const std::string& lane, Care& care);
    base::Task<base::Result<void>> settle(const std::string& lane,
                                          Care& care,
                                          std::vector<journal::Entry> entries,
                                          const mlflow::UpstreamAnswer& answer,
                                          bool is_refused);
    void put_off(const std::string& lane, Care& care, const base::Error& error);

    Deps deps_;
    const ReplayerSettings settings_;
    telemetry::Counter& failures_;
    std::map<std::string, Care> care_;
    std::string last_lane_;
    bool was_away_ = false;
    base::MonotonicTime next_warning_;
};

}  // namespace offline
