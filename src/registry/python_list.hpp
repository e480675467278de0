// A list in a filter, which MLflow reads as a Python literal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace registry {

// Of "('a', \"b\")", with Python's escapes; adjacent strings are one.
base::Result<std::vector<std::string>> parse_string_list(std::string_view text);

}  // namespace registry
