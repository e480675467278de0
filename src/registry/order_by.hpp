// The order_by of searches (mlflow/utils/search_utils.py): a key and ASC or DESC.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "registry/query.hpp"

namespace registry {

// Complete: what is not asked for is added until no two rows compare equal.
base::Result<std::vector<OrderTerm>> parse_model_order(const std::vector<std::string>& clauses);
base::Result<std::vector<OrderTerm>> parse_version_order(const std::vector<std::string>& clauses);

}  // namespace registry
