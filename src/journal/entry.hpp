// What the journal holds: calls that were accepted in MLflow's place, and are owed to it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace journal {

// Calls of one lane are delivered one after the other, in the order in which they came; lanes know nothing of each
// other. What a lane stands for (a run) is for its users to say.
struct Entry {
    std::int64_t sequence = 0;  // given by the journal; grows
    std::string lane;
    std::string workspace;  // empty: the default one
    std::string method;
    std::string target;  // path and query as MLflow's server gets them
    std::string body;
    std::string key_id;  // of the API key that sent it; empty: nobody was asked for one
    base::WallTime accepted_at;
    std::string about{};  // what was promised with it, for its users to read
};

// How much of the journal's bound it takes: its texts, and what a row costs beside them.
inline std::uint64_t cost_of(const Entry& entry) {
    constexpr std::uint64_t kRow = 256;
    return kRow + entry.lane.size() + entry.workspace.size() + entry.method.size() + entry.target.size() +
           entry.body.size() + entry.key_id.size() + entry.about.size();
}

// An entry MLflow said no to.
struct Rejection {
    std::int64_t sequence = 0;
    unsigned status = 0;
    std::string reason;  // MLflow's words
    base::WallTime rejected_at;
};

struct RejectedEntry {
    Entry entry;
    Rejection rejection;
};

// A lane that was seen, so that its calls may be accepted.
struct KnownLane {
    std::string lane;
    std::string about;  // what is known of it, for its users to read
    base::WallTime seen_at;
};

// What somebody wants to be done with a lane that is held.
enum class Decision { none, apply, discard };

// A lane nothing of which is delivered until somebody decides.
struct Hold {
    std::string lane;
    std::string reason;  // in words
    std::string about;   // for its users to read
    base::WallTime since;
    Decision decision = Decision::none;
};

// A number that was promised and could not be kept.
struct Renumbering {
    std::string lane;
    std::int64_t promised = 0;
    std::int64_t given = 0;
    base::WallTime at;

    bool operator==(const Renumbering&) const = default;
};

// Changes that are made together, or not at all.
struct Batch {
    std::vector<Entry> accepted;
    std::vector<std::int64_t> delivered;
    std::vector<Rejection> rejected;
    std::vector<Entry> rewritten{};  // their texts; what else they are stays
    std::vector<Hold> held{};
    std::vector<std::string> released{};  // lanes
    std::vector<Renumbering> renumbered{};
};

}  // namespace journal
