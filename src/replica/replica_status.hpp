// What the replica knows about itself, kept as facts beside its rows so that whoever opens the store can read it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "registry/store.hpp"

#include <boost/json/object.hpp>

namespace replica {

// A complete comparison with MLflow.
struct SweepRecord {
    registry::Timestamp began = 0;
    std::int64_t milliseconds = 0;
    std::int64_t rows = 0;
    std::int64_t changes = 0;  // rows written or erased
    std::int64_t erased = 0;
    std::vector<std::string> workspaces{};  // that MLflow had

    bool operator==(const SweepRecord&) const = default;
};

// How far the first filling has come.
struct Position {
    registry::Timestamp began = 0;
    std::string workspace;
    std::string phase;
    std::string token;  // of the page to read next
    std::int64_t rows = 0;

    bool operator==(const Position&) const = default;
};

// Why a model is to be read again before all others.
enum class MarkReason {
    unknown_outcome,  // of a write
    not_read_back,    // a write was carried out, and MLflow was gone before its result was read
    not_stored,       // a write was carried out, and the replica could not record it
    torn,             // what MLflow showed does not fit the rows
};

std::string_view to_string(MarkReason reason);

struct Mark {
    registry::ModelKey model;
    MarkReason reason = MarkReason::unknown_outcome;

    bool operator==(const Mark&) const = default;
};

struct ReplicaStatus {
    std::string upstream;       // whose rows these are
    std::int64_t revision = 0;  // grows with every row that changes
    std::optional<SweepRecord> last_sweep;
    std::optional<Position> position;  // until there is a first one
    std::vector<Mark> marked;
    registry::Counts counts;

    // Whether what is not in the replica was not in MLflow either.
    [[nodiscard]] bool is_complete() const {
        return last_sweep.has_value();
    }
};

base::Result<ReplicaStatus> read_status(registry::Reader& reader);
boost::json::object to_json(const ReplicaStatus& status);

base::Result<std::int64_t> read_revision(registry::Reader& reader);
base::Result<bool> read_is_complete(registry::Reader& reader);

base::Result<void> put_upstream(registry::Writer& writer, const std::string& url);
// Answers the new one.
base::Result<std::int64_t> add_to_revision(registry::Writer& writer, std::int64_t changes);
base::Result<void> put_position(registry::Writer& writer, const Position& position);
base::Result<void> put_marked(registry::Writer& writer, const std::vector<Mark>& marked);

// Ends the first filling, if it was that.
base::Result<void> put_last_sweep(registry::Writer& writer, const SweepRecord& sweep);

// As if nothing had ever been read. The rows are the caller's.
base::Result<void> forget_facts(registry::Writer& writer);

}  // namespace replica
