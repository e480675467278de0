// Brings the replica's rows to what MLflow showed. Pure: rows in, rows out.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.hpp"
#include "registry/store.hpp"
#include "replica/model_view.hpp"

namespace replica {

struct VersionWithoutUri {
    std::int64_t version = 0;
    bool is_aliased = false;
};

struct Merged {
    std::int64_t changes = 0;  // rows written or erased
    std::int64_t erased = 0;
    bool is_torn = false;  // the view does not fit the rows: the model has to be read as a whole
    bool aliases_changed = false;
    bool is_other_model = false;                 // than the one that had its name before
    std::vector<VersionWithoutUri> without_uri;  // of the view: where their artifacts are is still unknown
};

enum class Filling {
    rows,   // a first filling: a model may come before its versions
    whole,  // a model comes with all its versions or not at all, so that what is missing is known to be missing
};

// Writes what differs, and only that.
base::Result<Merged> merge(registry::Writer& writer, const ModelView& view, Filling filling);

}  // namespace replica
