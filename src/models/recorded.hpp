// Versions together with what their runs recorded, and sums made of nothing else. Pure but for the reading.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.hpp"
#include "models/context.hpp"
#include "models/outcome.hpp"
#include "models/versions.hpp"

#include <boost/json/object.hpp>

namespace models {

// So many runs are asked for on behalf of one request; what is missing then is told as missing.
inline constexpr int kMaxRunsAsked = 100;

struct RecordedVersion {
    Version version;
    std::optional<RunFacts> facts;

    [[nodiscard]] std::optional<double> metric(const std::string& name) const;
    [[nodiscard]] std::optional<std::string> param(const std::string& name) const;
};

// 404 when there is no such version; the refusal in `name`, if it is one.
base::Task<Outcome<RecordedVersion>> find_recorded(Context& context, Outcome<VersionName> name);

// Runs that have ended are taken from what is kept.
base::Task<std::vector<RecordedVersion>> read_recorded(Context& context, std::vector<Version> versions);

using Metrics = std::map<std::string, double>;

// Of every metric both have: that of `after` minus that of `before`.
Metrics difference(const Metrics& before, const Metrics& after);

// The sum of what got better, of metrics that are known to be better when higher.
double improvement_score(const Metrics& improvements);

boost::json::object to_json(const Metrics& metrics);

// A version as others name it: NAME:VERSION or NAME/VERSION.
std::optional<VersionName> parse_model_id(std::string_view text);

}  // namespace models
