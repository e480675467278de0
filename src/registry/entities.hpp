// What a model registry holds, as MLflow has it (mlflow/protos/model_registry.proto).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

namespace registry {

using Timestamp = std::int64_t;  // milliseconds since 1970, UTC

struct Tag {
    std::string key;
    std::string value;

    bool operator==(const Tag&) const = default;
};

struct Alias {
    std::string name;
    std::int64_t version = 0;

    bool operator==(const Alias&) const = default;
};

// Empty strings are what MLflow leaves out of its answers. Where it tells an empty text from none there is an optional:
// no text is SQL's NULL, to which no comparison holds.
struct ModelVersion {
    std::string name;  // of its model
    std::int64_t version = 0;
    Timestamp creation_timestamp = 0;
    Timestamp last_updated_timestamp = 0;
    std::string user_id;
    std::string current_stage = "None";  // "None", "Staging", "Production", "Archived"
    std::optional<std::string> description;
    std::string source;
    std::optional<std::string> run_id;
    std::optional<std::string> run_link;
    std::string status = "READY";
    std::string status_message;
    std::string artifact_uri;  // what get-download-uri answers; in no other answer
    std::vector<Tag> tags;
    std::vector<std::string> aliases;  // filled where MLflow fills them: by single reads, not by searches
    boost::json::object unknown;       // what a newer MLflow says beyond all this, kept and given out again

    bool operator==(const ModelVersion&) const = default;
};

struct RegisteredModel {
    std::string name;
    Timestamp creation_timestamp = 0;
    Timestamp last_updated_timestamp = 0;
    std::string description;
    std::vector<Tag> tags;
    std::vector<Alias> aliases;
    std::vector<ModelVersion> latest_versions;  // the newest of each stage, without aliases
    boost::json::object unknown;

    bool operator==(const RegisteredModel&) const = default;
};

// Names one model; every registry call is about one workspace. The empty one is MLflow's default.
struct ModelKey {
    std::string workspace;
    std::string name;

    auto operator<=>(const ModelKey&) const = default;
};

}  // namespace registry
