// Turns a registration into a version of the registry, one call after the other:
//
//   run ─► its parameters ─► model_data as its artifact ─► model ─► version
//
// Each step finds what an earlier attempt left behind, by the tag hokusai.registration_id or by its name, so that it
// may be begun again from the start as often as it takes. A registry of our own has no runs: there the last two are
// all.
#pragma once

#include "base/error.hpp"
#include "base/task.hpp"
#include "models/mlflow_api.hpp"
#include "models/registration.hpp"

namespace models {

// On runs and versions: which registration they come from.
inline constexpr const char* kRegistrationTag = "hokusai.registration_id";

enum class Attempt {
    first,  // nothing of it can be there
    again,
};

// The registration as it is settled then: registered, or failed with MLflow's words. An error: MLflow, or something on
// the way, can't do it now; unavailable, or internal where it was MLflow's own words for what may be a fault of its
// database as well as a call it can never carry out.
base::Task<base::Result<Registration>> apply_registration(MlflowApi& mlflow,
                                                          Registration registration,
                                                          Attempt attempt);

}  // namespace models
