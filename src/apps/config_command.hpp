// `hokusai config show`, `hokusai config check` and `hokusai config sample`.
#pragma once

#include <ostream>

#include "config/load.hpp"

namespace apps {

// One line for each setting, "name = value   (origin)", then the warnings; or the same as JSON. Secrets are <set> or
// <unset>. Returns the exit code, 0.
int config_show(const config::Loaded& loaded, bool as_json, std::ostream& out);

// Loads as `serve` would and says what it found. Returns the exit code: 0 when the service could start with it, else 2.
int config_check(const config::Sources& sources, std::ostream& out);

// A file for --config: every setting with what it means and its default, as a comment. Returns the exit code, 0.
int config_sample(std::ostream& out);

}  // namespace apps
