// Health answers kept ready, so that a probe of a balancer costs a worker one copy.
#pragma once

#include <array>
#include <cstdint>

#include "health/endpoints.hpp"
#include "health/report.hpp"
#include "health/view.hpp"
#include "http/message.hpp"

namespace health {

// Answers for one worker, not safe for concurrent use. An answer to the plain form of a request (GET, no query, any
// Accept but health+json) is rendered once and given again until 100 ms have passed, or the snapshot or the phase have
// changed.
class HealthResponder {
public:
    // Both must outlive it.
    HealthResponder(SnapshotSource& source, const Identity& identity);

    // Never blocks. The response is valid until the next call; copy it to keep it.
    const http::Response& respond(Endpoint endpoint,
                                  const http::RequestHead& request,
                                  Phase phase,
                                  base::MonotonicTime now,
                                  base::WallTime wall_now);

private:
    struct Rendered {
        http::Response response;
        std::uint64_t version = 0;
        Phase phase = Phase::starting;
        base::MonotonicTime at;
        bool is_usable = false;
    };

    [[nodiscard]] bool is_fresh(const Rendered& rendered, Phase phase, base::MonotonicTime now) const;

    SnapshotSource& source_;
    const Identity& identity_;
    std::array<Rendered, kEndpointCount> plain_;
    http::Response special_;
};

}  // namespace health
