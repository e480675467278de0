// What MLflow says is in a folder of artifacts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace artifacts {

struct ListedArtifact {
    std::string path;  // the folder's and its name
    bool is_folder = false;
    std::optional<std::int64_t> size{};
};

// data_loss for what is no listing, unsupported for a name that is written in an unusual way. Pure.
base::Result<std::vector<ListedArtifact>> parse_listing(std::string_view body, const std::string& folder);

}  // namespace artifacts
