// `hokusai registry history|rollback`: the commands, without flags. Both ask the running service.
//
// Each function gives the exit code: 0 done; 1 it failed or was refused; 2 the arguments are wrong.
#pragma once

#include <iosfwd>
#include <string>

#include "apps/console.hpp"
#include "apps/settings.hpp"
#include "registry_client/api.hpp"

namespace apps {

struct RegistryHistoryRequest {
    std::string subject;      // "MODEL" or "MODEL@ALIAS"
    std::string workspace{};  // empty: MLflow's default one
    std::string url{};        // of the service; empty: where `server.listen` says
    bool as_json = false;
};

int registry_history(const ServiceSettings& settings, const RegistryHistoryRequest& request, const Console& console);
int registry_history(registry_client::Api& api, const RegistryHistoryRequest& request, const Console& console);

struct RegistryRollbackRequest {
    std::string subject;  // "MODEL@ALIAS"
    std::string workspace{};
    std::string url{};
    std::string to{};  // version; empty: the one before the present one
    bool is_dry_run = false;
    bool is_agreed = false;  // otherwise `standard_input` has to say so
};

// Refuses when the version is gone, when there is none before, and when the alias is changed meanwhile.
int registry_rollback(const ServiceSettings& settings,
                      const RegistryRollbackRequest& request,
                      std::istream& standard_input,
                      const Console& console);
int registry_rollback(registry_client::Api& api,
                      const RegistryRollbackRequest& request,
                      std::istream& standard_input,
                      const Console& console);

}  // namespace apps
