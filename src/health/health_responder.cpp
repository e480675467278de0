#include "health/health_responder.hpp"

#include <chrono>
#include <memory>
#include <utility>

namespace health {

namespace {

constexpr base::Duration kMaxAnswerAge = std::chrono::milliseconds(100);

bool is_plain(const http::RequestHead& request) {
    const bool is_read = request.method == http::Method::get || request.method == http::Method::head;
    return is_read && request.query.empty() && !wants_health_json(request.fields);
}

}  // namespace

HealthResponder::HealthResponder(SnapshotSource& source, const Identity& identity)
    : source_(source), identity_(identity) {}

bool HealthResponder::is_fresh(const Rendered& rendered, Phase phase, base::MonotonicTime now) const {
    return rendered.is_usable && rendered.phase == phase && now - rendered.at < kMaxAnswerAge &&
           rendered.version == source_.version();
}

const http::Response& HealthResponder::respond(Endpoint endpoint,
                                               const http::RequestHead& request,
                                               Phase phase,
                                               base::MonotonicTime now,
                                               base::WallTime wall_now) {
    Rendered& rendered = plain_.at(static_cast<std::size_t>(endpoint));
    const bool plain = is_plain(request);
    if (plain && is_fresh(rendered, phase, now)) {
        return rendered.response;
    }
    const std::shared_ptr<const Snapshot> snapshot = source_.current(now);
    const View view{.snapshot = *snapshot, .identity = identity_, .phase = phase, .now = now, .wall_now = wall_now};
    http::Response response = answer(endpoint, view, request);
    if (!plain) {
        special_ = std::move(response);
        return special_;
    }
    rendered = {
        .response = std::move(response), .version = snapshot->version, .phase = phase, .at = now, .is_usable = true};
    return rendered.response;
}

}  // namespace health
