// `hokusai registry ...`: its flags.
#pragma once

#include <functional>

#include "apps/command_flags.hpp"

namespace apps {

// Adds the commands to `app`; the one that is asked for becomes `action`, which gives the exit code.
void add_registry(CLI::App& app, Flags& flags, std::function<int()>& action);

}  // namespace apps
