// Which health answer belongs to which request. Nothing here asks a dependency anything: answers format the last
// snapshot.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "health/view.hpp"
#include "http/message.hpp"

namespace health {

enum class Endpoint : std::uint8_t {
    health,
    alb,
    mlflow,
    status,
    ready,
    live,
    livez,
    readyz,
    startupz,
    version,
    mlflow_checks,
    mlflow_tests,
    mlflow_connectivity,
    gateway_checks,
    gateway_tests,
};

inline constexpr std::size_t kEndpointCount = 15;

struct EndpointPath {
    std::string_view path;  // whole
    Endpoint endpoint;
};

// Every path and what answers it. None of them needs a key.
std::span<const EndpointPath> endpoint_paths();

// true/false, 1/0, yes/no, on/off in any case (also t/f, y/n), for the query parameter `detailed`; the last one counts.
// False without it, nothing when its value is none of these.
std::optional<bool> parse_detailed(std::string_view query);

// Whether the client asked for `application/health+json`.
bool wants_health_json(const http::Fields& fields);

// HEAD is answered as GET; any other method is 405. The server leaves the body of a HEAD away.
http::Response answer(Endpoint endpoint, const View& view, const http::RequestHead& request);

// POST /health/mlflow/reset, once it was authorised and tried.
http::Response reset_done(base::WallTime wall_now);
http::Response reset_failed(std::string_view why);

}  // namespace health
