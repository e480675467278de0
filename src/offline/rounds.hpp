// Goes round lanes of the journal that have something to be delivered: they take turns, and a lane whose turn failed
// rests, alone, for longer each time.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"
#include "mlflow/pace.hpp"
#include "telemetry/metrics.hpp"

namespace offline {

// Lives on one worker.
class Rounds {
public:
    using IsReady = std::function<bool(const std::string& lane)>;

    struct Deps {
        mlflow::Pace& pace;
        telemetry::Metrics& metrics;
        // The first lane after `after`, in a circle, that is ready.
        std::function<std::optional<std::string>(std::string_view after, const IsReady& is_ready)> next;
        // One turn, which never overlaps with another of the same lane. An error: it is to come again.
        std::function<base::Task<base::Result<void>>(const std::string& lane)> serve;
        // MLflow answers again: what failed before says little now.
        std::function<void()> when_back;
    };

    explicit Rounds(Deps deps);

    // Until the pace is stopped and its sleeper woken. Run it several times to have as many turns under way at once.
    base::Task<> run();

    // One turn, if a lane is ready. What run() repeats.
    base::Task<bool> serve_next();

private:
    // Of a lane whose turn it is, or whose last one failed.
    struct Care {
        bool is_busy = false;
        unsigned failures = 0;
        base::MonotonicTime rests_until;
    };

    [[nodiscard]] bool is_ready(const std::string& lane) const;
    void note_reachable(bool is_reachable);
    void put_off(const std::string& lane, Care& care, const base::Error& error);

    Deps deps_;
    telemetry::Counter& failures_;
    std::map<std::string, Care> care_;
    std::string last_lane_;
    bool was_away_ = false;
    base::MonotonicTime next_warning_;
};

}  // namespace offline
