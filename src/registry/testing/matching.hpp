// A query's conditions and order, applied to entities in memory.
#pragma once

#include <string_view>

#include "registry/entities.hpp"
#include "registry/query.hpp"

namespace registry::testing {

bool is_like(std::string_view text, std::string_view pattern);

bool matches(const Query& query, const RegisteredModel& model);
bool matches(const Query& query, const ModelVersion& version);

bool is_prompt(const std::vector<Tag>& tags);

// Whether `left` comes before `right`.
bool precedes(const Query& query, const RegisteredModel& left, const RegisteredModel& right);
bool precedes(const Query& query, const ModelVersion& left, const ModelVersion& right);

}  // namespace registry::testing
