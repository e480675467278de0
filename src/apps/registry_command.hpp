// `hokusai registry export|import|prefetch|status`: the commands, without flags.
//
// Each function gives the exit code: 0 done; 1 it failed, or something was left out, which is named; 2 the arguments
// are wrong.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "apps/console.hpp"
#include "apps/settings.hpp"
#include "base/clock.hpp"

namespace apps {

struct RegistryExportRequest {
    std::string from{};    // URL of a server; empty: the store of the data folder
    bool replica = false;  // of that folder, its copy of MLflow's registry instead of its own registry
    std::string output{};  // file; empty: Console::out, and then the summary goes to Console::errors
};

int registry_export(const ServiceSettings& settings,
                    const RegistryExportRequest& request,
                    base::WallTime now,
                    const Console& console);

struct RegistryImportRequest {
    std::string file;                 // "-": `standard_input`
    std::string to{};                 // URL of a server; empty: the store of the data folder
    std::string existing = "refuse";  // or skip
    bool is_dry_run = false;
};

// Into a store all is one transaction: the service is stopped then, and a file that is in whole or not at all leaves
// nothing to clean up. Into a server model after model.
int registry_import(const ServiceSettings& settings,
                    const RegistryImportRequest& request,
                    std::istream& standard_input,
                    const Console& console);

struct RegistryPrefetchRequest {
    std::vector<std::string> versions;  // "fox@champion", "fox/3"; "fox": all its aliased versions
    std::string through{};              // URL of a running hokusai; empty: where the settings say that it listens
};

// Reads the artifacts of these versions through a running service, which keeps them. What the cache of the data folder
// has at its full size is left out.
int registry_prefetch(const ServiceSettings& settings, const RegistryPrefetchRequest& request, const Console& console);

int registry_status(const ServiceSettings& settings, bool as_json, base::WallTime now, const Console& console);

// Says what went wrong, as all commands of `registry` do, and gives the exit code.
int complain(const Console& console, std::string_view message, int exit_code = kFailed);

}  // namespace apps
