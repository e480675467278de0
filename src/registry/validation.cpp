#include "registry/validation.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "base/strings.hpp"
#include "registry/python.hpp"
#include "registry/utf8.hpp"

#include <fmt/format.h>

namespace registry {

namespace {

constexpr std::size_t kMaxNameLength = 256;
constexpr std::size_t kMaxKeyLength = 250;
constexpr std::size_t kMaxValueLength = 100'000;
constexpr std::size_t kMaxAliasLength = 255;
constexpr std::string_view kPromptTextTag = "mlflow.prompt.text";

std::unexpected<base::Error> invalid(std::string message) {
    return base::fail(base::Code::invalid_argument, std::move(message));
}

// posixpath.normpath.
std::string normal_path(std::string_view path) {
    std::size_t slashes = std::min(path.find_first_not_of('/'), path.size());
    slashes = slashes == 2 ? 2 : std::min<std::size_t>(slashes, 1);
    std::vector<std::string_view> parts;
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        const std::string_view part = path.substr(begin, end - begin);
        begin = end + 1;
        if (part.empty() || part == ".") {
            continue;
        }
        if (part != ".." || (slashes == 0 && parts.empty()) || (!parts.empty() && parts.back() == "..")) {
            parts.push_back(part);
        } else if (!parts.empty()) {
            parts.pop_back();
        }
    }
    const std::string normal = std::string(slashes, '/') + fmt::format("{}", fmt::join(parts, "/"));
    return normal.empty() ? "." : normal;
}

base::Result<void> check_path_is_unique(std::string_view parameter, std::string_view name) {
    const std::string normal = normal_path(name);
    if (normal == name && normal != "." && !normal.starts_with("..") && !normal.starts_with('/')) {
        return {};
    }
    std::string value;
    python::append_json(value, name);
    return invalid(invalid_value_message(
        parameter,
        value,
        "Names may be treated as files in certain cases, and must not resolve to other names when treated as such. "
        "This name would resolve to " +
            python::repr(std::string_view(normal))));
}

bool is_blank(std::string_view text) {
    while (!text.empty()) {
        if (!is_space(next_code_point(text))) {
            return false;
        }
    }
    return true;
}

// Like Python's `^[...]*$`, to which a line end at the end is nothing.
bool consists_of_words_and(std::string_view others, std::string_view text) {
    if (text.ends_with('\n')) {
        text.remove_suffix(1);
    }
    while (!text.empty()) {
        const char32_t point = next_code_point(text);
        if (!is_word_character(point) && (point >= 0x80U || !others.contains(static_cast<char>(point)))) {
            return false;
        }
    }
    return true;
}

}  // namespace

std::string missing_value_message(std::string_view parameter) {
    return fmt::format("Missing value for required parameter '{}'.", parameter);
}

std::string invalid_value_message(std::string_view parameter, std::string_view value_json, std::string_view hint) {
    return fmt::format("Invalid value {} for parameter '{}' supplied: {}", value_json, parameter, hint);
}

base::Result<void> check_model_name(std::string_view name) {
    if (is_blank(name)) {
        return invalid(missing_value_message("name"));
    }
    if (name.find_first_of("/:") != std::string_view::npos) {
        return invalid(fmt::format("Invalid model name '{}'. Names cannot contain '/' or ':'.", name));
    }
    return check_path_is_unique("name", name);
}

base::Result<void> check_new_name(std::string_view name, std::string_view parameter) {
    if (is_blank(name)) {
        return invalid(missing_value_message(parameter));
    }
    if (auto checked = check_model_name(name); !checked) {
        return checked;
    }
    return check_length(parameter, name, kMaxNameLength);
}

base::Result<void> check_length(std::string_view parameter, std::string_view value, std::size_t limit) {
    if (value.size() <= limit || length(value) <= limit) {
        return {};
    }
    return invalid(fmt::format("'{}' exceeds the maximum length of {} characters", parameter, limit));
}

base::Result<void> check_entity_name(std::string_view name, std::string_view parameter) {
    if (!consists_of_words_and("/.- :", name)) {
        std::string value;
        python::append_json(value, name);
        return invalid(invalid_value_message(parameter,
                                             value,
                                             "Names may only contain alphanumerics, underscores (_), dashes (-), "
                                             "periods (.), spaces ( ), colon(:) and slashes (/)."));
    }
    return check_path_is_unique(parameter, name);
}

base::Result<void> check_tag_key(std::string_view key) {
    return check_entity_name(key, "key");
}

base::Result<void> check_model_tag(const Tag& tag) {
    if (auto checked = check_tag_key(tag.key); !checked) {
        return checked;
    }
    if (auto checked = check_length("key", tag.key, kMaxKeyLength); !checked) {
        return checked;
    }
    return check_length("value", tag.value, kMaxValueLength);
}

base::Result<void> check_version_tag(const Tag& tag) {
    auto checked = check_model_tag(tag);
    const bool is_long_prompt = tag.key == kPromptTextTag && !check_length("value", tag.value, kMaxValueLength);
    if (is_long_prompt) {
        return invalid(fmt::format("Prompt text exceeds max length of {} characters.", kMaxValueLength));
    }
    return checked;
}

base::Result<void> check_alias(std::string_view alias) {
    if (alias.empty()) {
        return invalid("Registered model alias name cannot be empty.");
    }
    if (!consists_of_words_and("-", alias)) {
        return invalid(fmt::format(
            "Invalid alias name: '{}'. Names may only contain alphanumerics, underscores (_), and dashes (-).", alias));
    }
    return check_length("Registered model alias name", alias, kMaxAliasLength);
}

base::Result<void> check_alias_is_not_reserved(std::string_view alias) {
    if (is_latest_alias(alias)) {
        return invalid("'latest' alias name (case insensitive) is reserved.");
    }
    std::string_view digits = alias.substr(1);
    if (digits.ends_with('\n')) {
        digits.remove_suffix(1);
    }
    const bool is_version = (alias.starts_with('v') || alias.starts_with('V')) && !digits.empty() &&
                            std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
    if (is_version) {
        return invalid(fmt::format("Version alias name '{}' is reserved.", alias));
    }
    return {};
}

bool is_latest_alias(std::string_view alias) {
    return base::iequals(alias, "latest");
}

base::Result<std::int64_t> parse_version(std::string_view version) {
    const std::optional<std::int64_t> number = python::parse_int(version);
    if (!number) {
        return invalid(fmt::format("Parameter 'version' must be an integer, got '{}'.", version));
    }
    return *number;
}

base::Result<std::string> canonical_stage(std::string_view stage) {
    constexpr std::array<std::string_view, 4> kStages{"None", "Staging", "Production", "Archived"};
    for (const std::string_view candidate : kStages) {
        if (base::iequals(candidate, stage)) {
            return std::string(candidate);
        }
    }
    return invalid(
        fmt::format("Invalid Model Version stage: {}. Value must be one of {}.", stage, fmt::join(kStages, ", ")));
}

}  // namespace registry
