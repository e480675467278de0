// Promises that can't be kept as they were made, on top of what MLflow has by now. Pure: rows in, rows out.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "journal/entry.hpp"
#include "registry/entities.hpp"
#include "registry/store.hpp"
#include "replica/model_view.hpp"

namespace offline_registry {

// Numbers of versions that were promised, and those that were given instead; 0: none was.
using Numbers = std::map<std::int64_t, std::int64_t>;

std::string to_text(const Numbers& numbers);
Numbers numbers_from(std::string_view text);

// The body of a call about model `key`, with what names a version by a number in `numbers` naming the other.
std::string renumbered(const std::string& body, const registry::ModelKey& key, const Numbers& numbers);

// Brings the rows of a model to what MLflow shows, as if nothing had been promised. `highest_given`: the highest number
// it has given to a version as far as is known, deleted ones included.
base::Result<void> start_over(registry::Writer& writer, replica::ModelView view, std::int64_t highest_given);

// The entries of a lane carried out on top of other rows than they were promised on.
struct Rebased {
    std::vector<journal::Entry> rewritten;
    std::vector<journal::Rejection> rejected;  // by the registry's rules, in MLflow's words
    Numbers numbers;                           // all by now
};

base::Result<Rebased> rebase(registry::Writer& writer,
                             const registry::ModelKey& key,
                             std::vector<journal::Entry> entries,
                             Numbers numbers,
                             base::WallTime now);

}  // namespace offline_registry
