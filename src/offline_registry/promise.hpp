// Writes of the registry as entries of the journal: what was promised with each, and how they come into the rows. Pure:
// rows in, rows out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "journal/entry.hpp"
#include "registry/call.hpp"
#include "registry/entities.hpp"
#include "registry/store.hpp"

#include <boost/json/value.hpp>

namespace offline_registry {

// Lanes of models: how their names begin, and back.
inline constexpr std::string_view kModelLanes = "model/";
std::string lane_of(const registry::ModelKey& key);
registry::ModelKey model_of_lane(std::string_view lane);

// Around the model as the rows have it: a fingerprint, and the highest number given to a version so far.
struct Point {
    std::string fingerprint;
    std::int64_t highest_version = 0;

    bool operator==(const Point&) const = default;
};

// What an entry keeps beside the call, as Entry::about. A new version is promised the number after.highest_version.
struct Expectation {
    Point before;
    Point after;
    std::string content_type;
    std::string key_name;
};

std::string to_text(const Expectation& expectation);

// data_loss when it is none.
base::Result<Expectation> expectation_of(const journal::Entry& entry);

// The call an entry stands for.
base::Result<registry::Call> call_of(const journal::Entry& entry);

struct Promise {
    std::string body;  // what MLflow will answer
    Expectation expectation;
};

// Null when it is no JSON.
boost::json::value parse_json(std::string_view text);

// Whether an error is the store's trouble, and not MLflow's answer.
bool is_of_store(const base::Error& error);

// Carries out `call`, whose model is `key`, as of `now`. An error of MLflow's comes before any change. `before`: where
// the model is, if that is known already.
base::Result<Promise> carry_out(registry::Writer& writer,
                                const registry::Call& call,
                                const registry::ModelKey& key,
                                base::WallTime now,
                                const std::optional<Point>& before = {});

// Carries out those of a lane's entries that the rows don't show yet; answers how many. conflict: the rows are as they
// were at no point of the lane.
base::Result<std::size_t> catch_up(registry::Writer& writer,
                                   const registry::ModelKey& key,
                                   std::span<const journal::Entry> entries);

}  // namespace offline_registry
