// The filters of searches: comparisons joined by AND (mlflow/utils/search_utils.py).
//
//   name, and for versions run_id, source_path:  = != LIKE ILIKE 'text'
//   name, run_id:                                [NOT] IN ('a', 'b')
//   version_number:                              = != < <= > >= 1
//   tags.key, tags.`key`, tags."key":            = != LIKE ILIKE 'text'
#pragma once

#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "registry/query.hpp"

namespace registry {

struct Filter {
    std::vector<Condition> conditions;
    bool hides_prompts = true;
};

base::Result<Filter> parse_model_filter(std::string_view text);
base::Result<Filter> parse_version_filter(std::string_view text);

}  // namespace registry
