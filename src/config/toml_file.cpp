#include "config/toml_file.hpp"

#include <algorithm>
#include <tuple>

#include "base/error.hpp"
#include "config/text_file.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

namespace config {

namespace {

// Configuration is written by hand; whatever is larger is a mistake.
constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20U;

std::size_t line_of(const toml::node& node) {
    return node.source().begin.line;
}

std::string scalar_text(const toml::node& node, const std::string& file, const std::string& key) {
    if (const auto text = node.value_exact<std::string>()) {
        return *text;
    }
    if (const auto number = node.value_exact<std::int64_t>()) {
        return std::to_string(*number);
    }
    if (const auto flag = node.value_exact<bool>()) {
        return *flag ? "true" : "false";
    }
    if (const auto real = node.value_exact<double>()) {
        return fmt::format("{}", *real);
    }
    throw base::ConfigError(
        fmt::format("{}:{}: {} must be text, a number, true or false, or an array of these", file, line_of(node), key));
}

void flatten(const toml::table& table,
             const std::string& prefix,
             const std::string& file,
             std::vector<TomlEntry>& out) {
    for (const auto& [name, node] : table) {
        TomlEntry entry{.key = prefix + std::string(name.str()), .line = name.source().begin.line};
        if (const toml::table* const inner = node.as_table()) {
            if (!inner->empty()) {
                flatten(*inner, entry.key + ".", file, out);
                continue;
            }
            entry.is_table = true;
        } else if (const toml::array* const items = node.as_array()) {
            entry.is_array = true;
            for (const toml::node& item : *items) {
                entry.parts.push_back(scalar_text(item, file, entry.key));
            }
        } else {
            entry.parts.push_back(scalar_text(node, file, entry.key));
        }
        out.push_back(std::move(entry));
    }
}

}  // namespace

std::vector<TomlEntry> read_toml(const std::filesystem::path& path) {
    const std::string file = path.string();
    const auto content = read_text_file(path, kMaxFileBytes);
    if (!content) {
        throw base::ConfigError(
            fmt::format("configuration file {}; correct --config or HOKUSAI_CONFIG", content.error().message));
    }
    try {
        std::vector<TomlEntry> entries;
        flatten(toml::parse(*content, file), "", file, entries);
        std::sort(entries.begin(), entries.end(), [](const TomlEntry& left, const TomlEntry& right) {
            return std::tie(left.line, left.key) < std::tie(right.line, right.key);
        });
        return entries;
    } catch (const toml::parse_error& error) {
        throw base::ConfigError(fmt::format("{}:{}: {}", file, error.source().begin.line, error.description()));
    }
}

}  // namespace config
