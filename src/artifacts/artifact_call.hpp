// Which of MLflow's calls are about artifacts that can be kept. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/message.hpp"
#include "storage/artifact_index.hpp"

namespace artifacts {

struct ArtifactCall {
    enum class Kind { other, read, write };
    Kind kind = Kind::other;
    storage::ArtifactKey key;  // of a read: what it asks for; of a write: where something may change
};

// `target` is the upstream's, without our own prefix. Whatever is written in an unusual way is another call, which only
// MLflow can answer.
ArtifactCall artifact_call(const http::RequestHead& request, std::string_view target);

// The one way to write the path of an artifact: names between single slashes. Nothing for anything else, and for other
// workspaces' folders.
std::optional<std::string> normal_path(std::string_view path);

// A path in MLflow's artifact store, of a URI without a server's name (mlflow-artifacts:/...).
std::optional<std::string> path_of_uri(std::string_view uri);

// What MLflow is asked for it.
std::string target_of(const storage::ArtifactKey& key);

// Whether one is at, below or above the other, so that a change there may be one here.
bool overlap(std::string_view left, std::string_view right);

// The look-up of what a server can do, which every fresh client makes.
inline constexpr std::string_view kServerInfo = "/api/3.0/mlflow/server-info";

}  // namespace artifacts
