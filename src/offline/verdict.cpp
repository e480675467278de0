#include "offline/verdict.hpp"

#include <algorithm>
#include <array>

#include "offline/run_call.hpp"
#include "registry/json.hpp"

#include <fmt/format.h>

namespace offline {

namespace {

constexpr std::size_t kMaxReason = 1000;

}  // namespace

// Cut between characters.
std::string reason_of(const mlflow::UpstreamAnswer& answer) {
    const auto error = parse_object(answer.body);
    std::string reason =
        error ? registry::text_at(*error, "error_code") + ": " + registry::text_at(*error, "message") : answer.body;
    if (reason.size() > kMaxReason) {
        std::size_t end = kMaxReason;
        while (end > 0 && (static_cast<unsigned char>(reason[end]) & 0xC0U) == 0x80U) {
            --end;
        }
        reason.resize(end);
    }
    return reason;
}

base::Error as_error(const mlflow::UpstreamAnswer& answer) {
    return {base::Code::unavailable, fmt::format("MLflow answered {}: {}", answer.status, reason_of(answer))};
}

// 401 and 403 are about the gateway's own credentials, and an answer without MLflow's error code came from somebody
// else.
Verdict judge(const mlflow::UpstreamAnswer& answer) {
    if (answer.status == 200) {
        return Verdict::delivered;
    }
    constexpr std::array kPassing{401U, 403U, 407U, 408U, 425U, 429U};
    const bool may_pass =
        answer.status < 400 || answer.status > 500 || std::ranges::find(kPassing, answer.status) != kPassing.end();
    const auto error = may_pass ? std::nullopt : parse_object(answer.body);
    const std::string code = error ? registry::text_at(*error, "error_code") : "";
    if (code.empty() || code == "ENDPOINT_NOT_FOUND") {
        return Verdict::later;
    }
    return code == "BAD_REQUEST" || answer.status == 500 ? Verdict::doubtful : Verdict::refused;
}

}  // namespace offline
