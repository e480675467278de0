// What a model is like, as far as MLflow shows it to everybody: what is compared to find out whether somebody else has
// changed it. Times and users are no part of it. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "registry/entities.hpp"
#include "registry/store.hpp"
#include "replica/model_view.hpp"

namespace offline_registry {

// Values by what they are values of, in words: "alias champion" -> "version 3". Empty: there is no such model.
using ModelState = std::map<std::string, std::string>;

// As the rows have it; errors are the store's.
base::Result<ModelState> state_in(registry::Reader& reader, const registry::ModelKey& key);

// As MLflow showed it, as a whole.
ModelState state_of(const replica::ModelView& view);

// Equal for equal states only.
std::string fingerprint(const ModelState& state);

// What differs, in words, what only MLflow has first: at most `limit` sentences, then how many more there are.
std::vector<std::string> differences(const ModelState& in_mlflow, const ModelState& here, std::size_t limit);

}  // namespace offline_registry
