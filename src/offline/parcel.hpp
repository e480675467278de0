// How entries of one lane become one call to MLflow. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "journal/entry.hpp"

namespace offline {

inline constexpr std::size_t kMaxParcelEntries = 1000;
inline constexpr std::uint64_t kMaxParcelBytes = std::uint64_t{512} << 10U;

struct Parcel {
    std::size_t entries = 0;  // so many of the first ones
    std::string method;
    std::string target;
    std::string workspace;
    std::string body;
};

// `head` is the beginning of a lane, and not empty. Metrics, parameters and tags that follow each other go together, as
// many as MLflow takes at once, and every number in the digits its client wrote: a run that is still training writes
// faster than MLflow takes calls one by one. Anything else goes alone.
Parcel pack(std::span<const journal::Entry> head);

// The text of a member of a JSON object, which is valid; empty: there is none. The last one of a name counts.
std::string_view raw_member(std::string_view object, std::string_view name);

}  // namespace offline
