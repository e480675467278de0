// Small files read whole, at start only.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "base/error.hpp"

namespace config {

// The error names the file and the reason: "/etc/x: No such file or directory".
base::Result<std::string> read_text_file(const std::filesystem::path& path, std::size_t max_bytes);

}  // namespace config
