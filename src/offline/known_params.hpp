// Which parameters runs have, as far as they were logged through here: MLflow takes no second value for one.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "offline/run_call.hpp"

#include <boost/json/object.hpp>

namespace offline {

// Safe from any thread. Forgets all when it would take more than `max_bytes`: what is not known here, MLflow will say.
class KnownParams {
public:
    explicit KnownParams(std::size_t max_bytes) : max_bytes_(max_bytes) {}

    // invalid_argument with MLflow's words when a parameter was logged with another value. The call has passed
    // check_run_call().
    [[nodiscard]] base::Result<void> check(std::string_view lane,
                                           RunOperation operation,
                                           const boost::json::object& arguments) const;

    // What MLflow, or the journal, has taken.
    void note(std::string_view lane, RunOperation operation, const boost::json::object& arguments);

private:
    using Key = std::pair<std::string, std::string>;  // lane, parameter

    const std::size_t max_bytes_;
    mutable std::mutex mutex_;  // guards what follows
    std::map<Key, std::string> values_;
    std::size_t bytes_ = 0;
};

}  // namespace offline
