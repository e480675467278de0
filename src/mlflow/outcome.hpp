// What an answer of MLflow says about MLflow itself: the rules by which its circuit breaker counts. Pure.
#pragma once

#include <optional>

#include "base/clock.hpp"
#include "http/message.hpp"
#include "mlflow/routes.hpp"
#include "resilience/breaker_status.hpp"

namespace mlflow {

struct Verdict {
    resilience::Outcome outcome = resilience::Outcome::success;
    std::optional<base::Duration> retry_after;  // with Outcome::overload
};

// 502, 504 and a 503 without Retry-After are failures; 429 and a 503 with it are overload; a plain-text 503 of an
// artifact route means that serving is switched off there. A 500 says nothing: one bad request of one client can
// provoke it, and so can a dead database; the probes find out.
Verdict judge(const http::ResponseHead& answer, CallKind kind, base::WallTime now);

// Retry-After in seconds or as a date (RFC 9110, section 10.2.3); at least 0.
std::optional<base::Duration> parse_retry_after(std::string_view value, base::WallTime now);

}  // namespace mlflow
