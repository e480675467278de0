// The command line as its definition has it, told to a shell and to the reader of the manual.
#pragma once

#include <string>

#include "config/schema.hpp"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's own
class App;
}

namespace apps {

// A script for bash that completes subcommands, options, and the values of an option of a type like "required|off".
// Where it knows nothing, bash completes file names.
std::string bash_completion(const CLI::App& app);

// The manual page, as the source that man(1) formats.
std::string manual_page(const CLI::App& app, const config::Schema& schema);

}  // namespace apps
