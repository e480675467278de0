// The pepper under which keys are hashed, in a file of its own: a copy of the database alone is worthless.
#pragma once

#include <filesystem>

#include "auth/key_hash.hpp"
#include "base/error.hpp"

namespace storage {

// Where the pepper of a data folder is.
std::filesystem::path pepper_file(const std::filesystem::path& data_dir);

// Reads the pepper, or makes the first one of a folder that exists. When several processes start at once, all get the
// same. A crash leaves either no pepper or a whole one.
//
// Refuses (permission_denied) a file that others than its owner may read, and (data_loss) one that is not a pepper.
base::Result<auth::Pepper> load_or_create_pepper(const std::filesystem::path& data_dir);

}  // namespace storage
