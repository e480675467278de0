#include "mlflow/outcome.hpp"

#include <algorithm>
#include <ctime>
#include <string>

#include "base/strings.hpp"

namespace mlflow {

namespace {

constexpr std::uint64_t kLongestWaitSeconds = 86'400;

}  // namespace

std::optional<base::Duration> parse_retry_after(std::string_view value, base::WallTime now) {
    if (const auto seconds = base::parse_uint(base::trim(value))) {
        return std::chrono::seconds(std::min(*seconds, kLongestWaitSeconds));
    }
    std::tm parts{};
    const std::string text(value);
    const char* end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (end == nullptr || *end != '\0') {
        return std::nullopt;
    }
    const auto date = std::chrono::system_clock::from_time_t(::timegm(&parts));
    return std::clamp<base::Duration>(date - now, std::chrono::seconds(0), std::chrono::seconds(kLongestWaitSeconds));
}

Verdict judge(const http::ResponseHead& answer, CallKind kind, base::WallTime now) {
    using resilience::Outcome;
    switch (answer.status) {
        case 502:
        case 504:
            return {Outcome::failure, std::nullopt};
        case 429:
        case 503:
            break;
        default:
            return {Outcome::success, std::nullopt};
    }
    const auto header = answer.fields.find("retry-after");
    const auto wait = header ? parse_retry_after(*header, now) : std::nullopt;
    if (answer.status == 429 || wait) {
        return {Outcome::overload, wait};
    }
    const bool is_plain_text = base::istarts_with(answer.fields.find("content-type").value_or(""), "text/plain");
    const bool is_artifact = kind == CallKind::artifact_read || kind == CallKind::artifact_write;
    return {is_artifact && is_plain_text ? Outcome::ignored : Outcome::failure, std::nullopt};
}

}  // namespace mlflow
