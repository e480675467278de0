// What a registry call is about, and what has to be read again once MLflow has carried it out. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "registry/call.hpp"
#include "registry/entities.hpp"
#include "replica/confirmations.hpp"
#include "replica/model_view.hpp"

namespace replica {

struct CallTarget {
    registry::ModelKey model;
    std::int64_t version = 0;  // 0: none
    std::string alias;
    std::string new_name;
    bool archives_others = false;  // of a stage

    // All models the call may change, in an order in which locks can be taken.
    [[nodiscard]] std::vector<registry::ModelKey> models() const;
};

// invalid_argument when the call lacks what it is about: MLflow would refuse it. Searches have no target.
base::Result<CallTarget> target_of(const registry::Call& call);

// The part of its model a read's answer shows; nothing for a search, which shows all models.
std::optional<Part> part_of(const registry::Call& call, const CallTarget& target);

// Whether the answer depends on which rows there are, not only on those it shows.
bool depends_on_absence(const registry::Call& call, const CallTarget& target);

// What MLflow's answer to a call shows of a model, if anything.
std::optional<ModelView> view_of(const registry::Call& call,
                                 const CallTarget& target,
                                 std::string_view body,
                                 const Asked& asked);

// What else has to be read after a write, besides what its answer shows.
struct Rereading {
    bool model = false;
    bool version = false;
    bool download_uri = false;
    bool everything = false;
};

Rereading rereading_after(registry::Operation operation, const CallTarget& target);

}  // namespace replica
