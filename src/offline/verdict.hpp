// What an answer of MLflow means for an entry of the journal. Pure.
#pragma once

#include <string>

#include "base/error.hpp"
#include "mlflow/upstream_client.hpp"

namespace offline {

enum class Verdict {
    delivered,
    refused,   // for good, in MLflow's own words
    doubtful,  // the same words for a fault of MLflow's database and for a call it can't store
    later,     // anything that another time may make good
};

Verdict judge(const mlflow::UpstreamAnswer& answer);

// Doubtful answers in a row that count as a refusal: over some four minutes.
inline constexpr unsigned kDoubtfulTries = 10;

// "INVALID_PARAMETER_VALUE: Invalid value ...", not too long.
std::string reason_of(const mlflow::UpstreamAnswer& answer);

base::Error as_error(const mlflow::UpstreamAnswer& answer);

}  // namespace offline
