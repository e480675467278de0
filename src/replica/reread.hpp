// One model, read from MLflow as a whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/task.hpp"
#include "net/worker.hpp"
#include "registry/entities.hpp"
#include "replica/replica.hpp"
#include "replica/upstream_reader.hpp"

namespace replica {

struct Reread {
    registry::ModelKey key;
    bool is_within_write = false;
    std::string renamed_from{};
    std::optional<registry::Act> act{};  // what that write is
};

// What MLflow's lists show of a model and all its versions, and, one by one, what it says of the versions `known` that
// they don't show.
base::Task<base::Result<ModelView>> read_whole(Replica& replica,
                                               UpstreamReader& reader,
                                               registry::ModelKey key,
                                               std::vector<std::int64_t> known = {});

// Reads the model, all its versions and, one by one, those the replica has and MLflow's lists don't show; brings the
// rows to it. The caller holds the model's lock.
base::Task<base::Result<MergeOutcome>> reread(net::Worker& worker,
                                              Replica& replica,
                                              UpstreamReader& reader,
                                              Reread what);

// The same of a marked or doubtful model: under its lock, and then it is no longer marked.
base::Task<base::Result<MergeOutcome>> reread_locked(net::Worker& worker,
                                                     Replica& replica,
                                                     UpstreamReader& reader,
                                                     registry::ModelKey key);

}  // namespace replica
