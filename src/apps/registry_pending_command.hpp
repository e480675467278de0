// `hokusai registry pending|conflicts|resolve`: the commands, without flags. They read and write the journal in the
// data folder, also beside a running service.
//
// Each function gives the exit code: 0 done; 1 it failed; 2 the arguments are wrong.
#pragma once

#include <string>

#include "apps/console.hpp"
#include "apps/settings.hpp"
#include "base/clock.hpp"

namespace apps {

// Models whose writes wait for MLflow.
int registry_pending(const ServiceSettings& settings, bool as_json, const Console& console);

struct RegistryConflictsRequest {
    bool as_json = false;
    bool shows_all = false;  // what was set aside, too
};

int registry_conflicts(const ServiceSettings& settings,
                       const RegistryConflictsRequest& request,
                       const Console& console);

struct RegistryResolveRequest {
    std::string model;
    std::string workspace{};  // empty: MLflow's default one
    bool applies = false;     // exactly one of these
    bool discards = false;
};

// Writes the decision down; the service carries it out as soon as MLflow answers.
int registry_resolve(const ServiceSettings& settings, const RegistryResolveRequest& request, const Console& console);

}  // namespace apps
