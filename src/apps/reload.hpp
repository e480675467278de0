// What SIGHUP does: the settings are read again; what can change while serving does, and the rest is named.
#pragma once

#include "config/load.hpp"

namespace apps {

// `known` is what was loaded last, and is replaced. Never fails: a file that became invalid is logged and changes
// nothing. Blocks for the time of reading one small file.
void reload_settings(const config::Sources& sources, config::Loaded& known);

}  // namespace apps
