// What MLflow accepts for a name, a tag, an alias, a version, a stage, and what it says otherwise
// (mlflow/utils/validation.py).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "registry/entities.hpp"

namespace registry {

base::Result<void> check_model_name(std::string_view name);

// A name to be given: it has to fit MLflow's column of 256 characters, too.
base::Result<void> check_new_name(std::string_view name, std::string_view parameter);

// The name of a tag, a metric or a parameter of a run; `parameter` is how an error names it.
base::Result<void> check_entity_name(std::string_view name, std::string_view parameter);

// In characters.
base::Result<void> check_length(std::string_view parameter, std::string_view value, std::size_t limit);

base::Result<void> check_tag_key(std::string_view key);
base::Result<void> check_model_tag(const Tag& tag);
base::Result<void> check_version_tag(const Tag& tag);

base::Result<void> check_alias(std::string_view alias);
base::Result<void> check_alias_is_not_reserved(std::string_view alias);
bool is_latest_alias(std::string_view alias);

base::Result<std::int64_t> parse_version(std::string_view version);

// In the spelling the registry keeps.
base::Result<std::string> canonical_stage(std::string_view stage);

// "Invalid value V for parameter 'P' supplied: ..." around `value` in JSON.
std::string invalid_value_message(std::string_view parameter, std::string_view value_json, std::string_view hint);

std::string missing_value_message(std::string_view parameter);

}  // namespace registry
