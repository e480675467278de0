#include "config/values.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>

#include "base/strings.hpp"

#include <fmt/format.h>

namespace config {

namespace {

constexpr std::string_view kDigits = "0123456789";

struct DurationUnit {
    std::string_view suffix;
    base::Duration length;
};

// Longest first, so that writing picks the longest that fits.
constexpr std::array<DurationUnit, 5> kDurationUnits{{
    {"d", std::chrono::hours(24)},
    {"h", std::chrono::hours(1)},
    {"m", std::chrono::minutes(1)},
    {"s", std::chrono::seconds(1)},
    {"ms", std::chrono::milliseconds(1)},
}};

struct ByteUnit {
    std::string_view suffix;
    std::uint64_t size;
};

constexpr std::array<ByteUnit, 4> kByteUnits{{
    {"GiB", 1ULL << 30U},
    {"MiB", 1ULL << 20U},
    {"KiB", 1ULL << 10U},
    {"B", 1},
}};

template <class Units>
auto find_unit(const Units& units, std::string_view suffix) {
    return std::find_if(units.begin(), units.end(), [&](const auto& unit) { return unit.suffix == suffix; });
}

// "5" is 500, "25" is 250, "125" is 125; nothing for more digits.
std::optional<std::uint64_t> parse_thousandths(std::string_view digits) {
    if (digits.empty() || digits.size() > 3) {
        return std::nullopt;
    }
    std::string padded(digits);
    padded.resize(3, '0');
    return base::parse_uint(padded);
}

// Nothing when it is no duration at all; saturates above `max`.
std::optional<base::Duration> scan_duration(std::string_view text, base::Duration max) {
    const std::size_t whole_end = std::min(text.find_first_not_of(kDigits), text.size());
    const auto whole = base::parse_uint(text.substr(0, whole_end));
    std::string_view suffix = text.substr(whole_end);
    std::uint64_t thousandths = 0;
    if (suffix.starts_with('.')) {
        const std::size_t end = std::min(suffix.find_first_not_of(kDigits, 1), suffix.size());
        const auto fraction = parse_thousandths(suffix.substr(1, end - 1));
        if (!fraction) {
            return std::nullopt;
        }
        thousandths = *fraction;
        suffix.remove_prefix(end);
    }
    const auto* const unit = find_unit(kDurationUnits, suffix.empty() ? "s" : suffix);
    if (!whole || unit == kDurationUnits.end()) {
        return std::nullopt;
    }
    if (*whole > static_cast<std::uint64_t>(max / unit->length)) {
        return base::Duration::max();
    }
    return unit->length * static_cast<std::int64_t>(*whole) +
           unit->length * static_cast<std::int64_t>(thousandths) / 1000;
}

}  // namespace

base::Result<bool> parse_bool(std::string_view text) {
    const std::string word = base::to_lower(text);
    if (word == "true" || word == "yes" || word == "on" || word == "1") {
        return true;
    }
    if (word == "false" || word == "no" || word == "off" || word == "0") {
        return false;
    }
    return base::fail(base::Code::invalid_argument, "must be true or false");
}

base::Result<std::uint64_t> parse_number(std::string_view text, std::uint64_t min, std::uint64_t max) {
    const auto number = base::parse_uint(text);
    if (!number || *number < min || *number > max) {
        return base::fail(base::Code::invalid_argument, fmt::format("must be a whole number from {} to {}", min, max));
    }
    return *number;
}

base::Result<base::Duration> parse_duration(std::string_view text, base::Duration min, base::Duration max) {
    const auto duration = scan_duration(text, max);
    if (!duration || *duration < min || *duration > max) {
        return base::fail(
            base::Code::invalid_argument,
            fmt::format("must be a duration from {} to {}, such as 250ms, 30s or 5m (a plain number is seconds)",
                        to_text(min),
                        to_text(max)));
    }
    return *duration;
}

std::string to_text(base::Duration duration) {
    if (duration == base::Duration::zero()) {
        return "0s";
    }
    for (const DurationUnit& unit : kDurationUnits) {
        if (duration % unit.length == base::Duration::zero()) {
            return fmt::format("{}{}", duration / unit.length, unit.suffix);
        }
    }
    return fmt::format("{}ns", duration.count());
}

base::Result<std::uint64_t> parse_byte_size(std::string_view text, std::uint64_t min, std::uint64_t max) {
    const std::size_t digits_end = std::min(text.find_first_not_of(kDigits), text.size());
    const std::string_view suffix = text.substr(digits_end);
    const auto number = base::parse_uint(text.substr(0, digits_end));
    const auto* const unit = find_unit(kByteUnits, suffix.empty() ? "B" : suffix);
    if (!number || unit == kByteUnits.end() || *number > max / unit->size || *number * unit->size < min) {
        return base::fail(
            base::Code::invalid_argument,
            fmt::format(
                "must be a size from {} to {}, such as 512B, 64KiB or 1MiB", byte_size_text(min), byte_size_text(max)));
    }
    return *number * unit->size;
}

std::string byte_size_text(std::uint64_t bytes) {
    const auto* const unit = std::find_if(kByteUnits.begin(), kByteUnits.end(), [&](const ByteUnit& candidate) {
        return bytes >= candidate.size && bytes % candidate.size == 0;
    });
    return unit == kByteUnits.end() ? "0B" : fmt::format("{}{}", bytes / unit->size, unit->suffix);
}

base::Result<std::vector<std::string>> parse_list(std::string_view text) {
    text = base::trim(text);
    const bool is_json = text.starts_with('[');
    if (is_json && !text.ends_with(']')) {
        return base::fail(base::Code::invalid_argument, "must be a comma list or a JSON array of strings");
    }
    if (is_json) {
        text = text.substr(1, text.size() - 2);
    }
    std::vector<std::string> items;
    for (std::string_view item : base::split_list(text, ',')) {
        if (is_json) {
            if (item.size() < 2 || !item.starts_with('"') || !item.ends_with('"')) {
                return base::fail(base::Code::invalid_argument, "must be a comma list or a JSON array of strings");
            }
            item = item.substr(1, item.size() - 2);
        }
        items.emplace_back(item);
    }
    return items;
}

std::string redact(std::string_view text) {
    const std::size_t scheme_end = text.find("://");
    if (scheme_end == std::string_view::npos) {
        return std::string(text);
    }
    std::string_view rest = text.substr(scheme_end + 3);
    std::string result(text.substr(0, scheme_end + 3));
    if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
        result += "<redacted>@";
        rest.remove_prefix(at + 1);
    }
    const std::size_t query = rest.find_first_of("?#");
    result += rest.substr(0, query);
    if (query != std::string_view::npos) {
        result += rest[query];
        result += "<redacted>";
    }
    return result;
}

}  // namespace config
