// The subcommands of `hokusai` and what their flags mean.
#pragma once

namespace apps {

// Exit codes: 0 done, 1 failure, 2 usage or configuration.
int run_command_line(int argc, char** argv);

}  // namespace apps
