// What must hold between settings, beyond what each may be.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "apps/settings.hpp"

namespace apps {

// Orchestrators kill after 30 s; five are left for closing files.
constexpr std::chrono::seconds kShutdownTime{25};

// One message for each rule broken, naming the settings, where they came from and the remedy. Checks that named files
// can be read.
std::vector<std::string> broken_rules(const ServiceSettings& settings, const config::Loaded& loaded);

// Whether a call to `url` would reach our own listener, as far as can be told without a look-up.
bool names_own_address(const config::HttpUrl& url, const config::HostPort& listen);

// Names the Redis settings given, all of which are without effect.
std::optional<std::string> redis_warning(const config::Loaded& loaded);

}  // namespace apps
