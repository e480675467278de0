// What is recorded of a run, and where the last known of it is kept.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"

#include <boost/json/object.hpp>

namespace models {

struct Dataset {
    std::string name;
    std::string digest;
    std::string source_type;
    std::string source;
};

struct RunFacts {
    std::string run_id;
    std::string experiment_id;
    std::string artifact_uri;
    bool has_ended = false;                 // nothing more is logged, as a rule
    std::map<std::string, double> metrics;  // the last value of each
    std::vector<std::string> unusable;      // metrics whose last value is no number
    std::map<std::string, std::string> params;
    std::vector<Dataset> datasets;
    base::WallTime read_at;
};

// Of MLflow's answer to runs/get. invalid_argument when it is none.
base::Result<RunFacts> facts_from_mlflow(const boost::json::object& answer, base::WallTime read_at);

// As they are kept, without the time.
std::string to_text(const RunFacts& facts);
base::Result<RunFacts> facts_from_text(std::string_view text, base::WallTime read_at);

// Safe from any thread; calls block.
class RunFactsStore {
public:
    // The ones read longest ago are forgotten beyond so many.
    static constexpr std::int64_t kMaxRuns = 10'000;
    // What is more of one run is not kept.
    static constexpr std::size_t kMaxBytes = 64UL * 1024;

    virtual ~RunFactsStore() = default;

    virtual base::Result<std::optional<RunFacts>> find(const std::string& run_id) = 0;
    virtual base::Result<void> put(const RunFacts& facts) = 0;
};

}  // namespace models
