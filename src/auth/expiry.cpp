#include "auth/expiry.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/strings.hpp"

#include <fmt/format.h>

namespace auth {

namespace {

constexpr std::chrono::days kMaxLifetime{3660};

std::optional<std::chrono::seconds> parse_span(std::string_view text) {
    using namespace std::chrono_literals;

    struct Unit {
        char letter;
        std::chrono::seconds length;
    };

    static constexpr std::array<Unit, 5> kUnits{
        {{'s', 1s}, {'m', 1min}, {'h', 1h}, {'d', std::chrono::days(1)}, {'w', std::chrono::weeks(1)}}};

    const auto unit = std::ranges::find(kUnits, text.empty() ? '\0' : text.back(), &Unit::letter);
    if (unit == kUnits.end()) {
        return std::nullopt;
    }
    const std::optional<std::uint64_t> number = base::parse_uint(text.substr(0, text.size() - 1));
    const auto most = static_cast<std::uint64_t>(std::chrono::seconds(kMaxLifetime) / unit->length) + 1;
    if (!number) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(std::min(*number, most)) * unit->length;
}

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
    const std::optional<std::uint64_t> value = base::parse_uint(text.substr(at, count));
    return value ? std::optional(static_cast<int>(*value)) : std::nullopt;
}

// "YYYY-MM-DD", optionally with "Thh:mm:ssZ".
std::optional<std::chrono::sys_seconds> parse_date(std::string_view text) {
    constexpr std::string_view kPattern = "dddd-dd-ddTdd:dd:ddZ";
    constexpr std::size_t kDateLength = 10;
    if (text.size() != kDateLength && text.size() != kPattern.size()) {
        return std::nullopt;
    }
    for (std::size_t at = 0; at < text.size(); ++at) {
        const bool is_digit = text[at] >= '0' && text[at] <= '9';
        if (kPattern[at] == 'd' ? !is_digit : text[at] != kPattern[at]) {
            return std::nullopt;
        }
    }
    const std::chrono::year_month_day day(std::chrono::year(*digits(text, 0, 4)),
                                          std::chrono::month(static_cast<unsigned>(*digits(text, 5, 2))),
                                          std::chrono::day(static_cast<unsigned>(*digits(text, 8, 2))));
    if (!day.ok()) {
        return std::nullopt;
    }
    std::chrono::sys_seconds time = std::chrono::sys_days(day);
    if (text.size() == kPattern.size()) {
        const int hour = *digits(text, 11, 2);
        const int minute = *digits(text, 14, 2);
        const int second = *digits(text, 17, 2);
        if (hour > 23 || minute > 59 || second > 59) {
            return std::nullopt;
        }
        time += std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
    }
    return time;
}

}  // namespace

base::Result<base::WallTime> parse_expiry(std::string_view text, base::WallTime now) {
    std::optional<base::WallTime> time;
    if (const std::optional<std::chrono::seconds> span = parse_span(text)) {
        time = now + *span;
    } else if (const std::optional<std::chrono::sys_seconds> date = parse_date(text)) {
        // WallTime counts nanoseconds and ends in the year 2262: dates that are refused below anyway must fit.
        const auto today = std::chrono::floor<std::chrono::seconds>(now);
        constexpr auto kBeyond = kMaxLifetime + std::chrono::days(1);
        time = std::clamp<std::chrono::sys_seconds>(*date, today - kBeyond, today + kBeyond);
    }
    if (!time) {
        return base::fail(base::Code::invalid_argument,
                          fmt::format("can't read the expiry '{}': use a time span such as 90d or 12h, a date such as "
                                      "2030-01-31, or 2030-01-31T12:00:00Z",
                                      text));
    }
    if (*time <= now || *time - now > kMaxLifetime) {
        return base::fail(base::Code::invalid_argument,
                          fmt::format("the expiry '{}' must lie in the future, at most 10 years away", text));
    }
    return *time;
}

}  // namespace auth
