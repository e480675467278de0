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
    const std::string text(base::trim(value));
    if (!text.empty() && text.find_first_not_of("0123456789") == std::string::npos) {
        // A number too large to parse is a very long wait.
        return std::chrono::seconds(
            std::min(base::parse_uint(text).value_or(kLongestWaitSeconds), kLongestWaitSeconds));
    }
    std::tm parts{};
    const char* end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (end == nullptr || *end != '\0') {
        return std::nullopt;
    }
    // In seconds: a date of the year 9999 has no place in nanoseconds.
    const std::int64_t wait = ::timegm(&parts) - std::chrono::system_clock::to_time_t(now);
    return std::chrono::seconds(std::clamp<std::int64_t>(wait, 0, kLongestWaitSeconds));
}

Verdict judge(const http::ResponseHead& answer, CallKind kind, base::WallTime now) {
    using resilience::Outcome;
    switch (answer.status) {
        case 500:
            return {Outcome::ignored, std::nullopt};
        case 502:
        case 504:
            return {Outcome::failure, std::nullopt};
        case 429:
        case 503:
            break;
        default:
            return {Outcome::success, std::nullopt};
    }
    const auto header = answer.fields.find(http::FieldName::retry_after);
    const auto wait = header ? parse_retry_after(*header, now) : std::nullopt;
    if (answer.status == 429 || wait) {
        return {Outcome::overload, wait};
    }
    const bool is_plain_text =
        base::istarts_with(answer.fields.find(http::FieldName::content_type).value_or(""), "text/plain");
    const bool is_artifact = kind == CallKind::artifact_read || kind == CallKind::artifact_write;
    return {is_artifact && is_plain_text ? Outcome::ignored : Outcome::failure, std::nullopt};
}

}  // namespace mlflow
