// The parameters of each operation, and how MLflow reads them out of JSON: protobuf's ParseDict first, which stops at
// the first value it cannot read and keeps what it read before, then the checks of MLflow's own.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "registry/operation.hpp"

#include <boost/json/object.hpp>

namespace registry {

enum class Kind { text, integer, boolean, texts, tags };

struct Parameter {
    std::string_view name;
    Kind kind = Kind::text;
    bool is_required = false;
    bool is_checked = true;  // by MLflow's own checks
    std::int64_t limit = 0;  // of an integer
};

std::span<const Parameter> parameters_of(Operation operation);

// The parameters found in `json`, typed; the others are left out.
base::Result<boost::json::object> parse_arguments(std::span<const Parameter> parameters,
                                                  const boost::json::object& json);

}  // namespace registry
