#include "config/reference.hpp"

#include <array>
#include <cstddef>

#include "base/ensure.hpp"
#include "config/text_file.hpp"

#include <fmt/format.h>

namespace config {

namespace {

constexpr std::string_view kFileScheme = "file://";
constexpr std::string_view kEnvironmentScheme = "env://";
constexpr std::array<std::string_view, 2> kUnsupportedSchemes = {"ssm://", "secretsmanager://"};
constexpr std::size_t kMaxValueBytes = std::size_t{64} << 10U;

base::Result<std::string> resolve_file(std::string_view path) {
    auto content = read_text_file(path, kMaxValueBytes);
    if (!content) {
        return std::unexpected(content.error().context("refers to a file that can't be read"));
    }
    content->resize(content->find_last_not_of("\r\n") + 1);
    if (content->empty()) {
        return base::fail(base::Code::invalid_argument, fmt::format("refers to {}, which is empty", path));
    }
    return content;
}

base::Result<std::string> resolve_variable(std::string_view name, const Environment& environment) {
    const auto found = environment.find(name);
    if (found == environment.end() || found->second.empty()) {
        return base::fail(base::Code::not_found,
                          fmt::format("refers to the environment variable {}, which is not set", name));
    }
    return found->second;
}

}  // namespace

bool is_reference(std::string_view text) {
    if (text.starts_with(kFileScheme) || text.starts_with(kEnvironmentScheme)) {
        return true;
    }
    for (const std::string_view scheme : kUnsupportedSchemes) {
        if (text.starts_with(scheme)) {
            return true;
        }
    }
    return false;
}

base::Result<std::string> resolve(std::string_view text, const Environment& environment) {
    ENSURE(is_reference(text), "the caller has asked");
    if (text.starts_with(kFileScheme)) {
        return resolve_file(text.substr(kFileScheme.size()));
    }
    if (text.starts_with(kEnvironmentScheme)) {
        return resolve_variable(text.substr(kEnvironmentScheme.size()), environment);
    }
    return base::fail(
        base::Code::unsupported,
        fmt::format("uses {}://, which is not supported yet; use file:// or env://", text.substr(0, text.find("://"))));
}

}  // namespace config
