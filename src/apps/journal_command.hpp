// `hokusai journal status|rejected`: the commands, without flags.
//
// Each function gives the exit code: 0 done; 1 it failed. Also beside a running service.
#pragma once

#include "apps/console.hpp"
#include "apps/settings.hpp"
#include "base/clock.hpp"

namespace apps {

int journal_status(const ServiceSettings& settings, bool as_json, base::WallTime now, const Console& console);
int journal_rejected(const ServiceSettings& settings, bool as_json, const Console& console);

}  // namespace apps
