// Values kept elsewhere: file://PATH is the content of a file without the line ends at its end, env://NAME an
// environment variable.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace config {

using Environment = std::map<std::string, std::string, std::less<>>;

// Also true for the schemes we know but do not support.
bool is_reference(std::string_view text);

// The value behind `text`, which is_reference(); the error begins with a verb: "refers to /x: No such file or
// directory". What is found is not resolved again.
base::Result<std::string> resolve(std::string_view text, const Environment& environment);

}  // namespace config
