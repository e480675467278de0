// `hokusai cache status|verify|clear`: the commands, without flags. They work beside a running service too.
//
// Each function gives the exit code: 0 done; 1 it failed, or something was damaged, which is named.
#pragma once

#include "apps/console.hpp"
#include "apps/settings.hpp"

namespace apps {

int cache_status(const ServiceSettings& settings, bool as_json, const Console& console);

// Reads everything, and drops what is not as it was written.
int cache_verify(const ServiceSettings& settings, const Console& console);

int cache_clear(const ServiceSettings& settings, const Console& console);

}  // namespace apps
