#include "apps/config_command.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "apps/settings.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace apps {

namespace {

constexpr int kExitUsage = 2;

// Longer values push their origin to the right instead of everybody's.
constexpr std::size_t kMaxValueColumn = 40;

std::string to_json(const config::Loaded& loaded) {
    boost::json::array settings;
    for (const config::Entry& entry : loaded.entries) {
        settings.push_back(
            {{"name", entry.name}, {"value", entry.text}, {"origin", entry.origin}, {"secret", entry.is_secret}});
    }
    boost::json::array warnings(loaded.warnings.begin(), loaded.warnings.end());
    return boost::json::serialize(
        boost::json::object{{"settings", std::move(settings)}, {"warnings", std::move(warnings)}});
}

void write_warnings(const config::Loaded& loaded, std::ostream& out) {
    for (const std::string& warning : loaded.warnings) {
        out << "warning: " << warning << '\n';
    }
}

// The default as a value of a TOML file; text that is empty means none there too.
std::string to_toml(const config::Setting& setting) {
    const std::string& text = setting.default_text;
    if (setting.value.is_list) {
        return text.empty() ? "[]" : fmt::format("[\"{}\"]", text);
    }
    const bool is_bare = text == "true" || text == "false" || base::parse_uint(text).has_value();
    return is_bare ? text : fmt::format("\"{}\"", setting.value.is_secret ? "" : text);
}

constexpr std::string_view kSampleHead =
    R"(# Settings of hokusai serve: each with its default. Remove the # in front of what you change, and ask
# hokusai config check --config FILE what it thinks of it. A value may be kept elsewhere: "file:///run/secrets/token",
# "env://NAME". The environment variables named here win over this file, the flags over both.
)";

}  // namespace

int config_show(const config::Loaded& loaded, bool as_json, std::ostream& out) {
    if (as_json) {
        out << to_json(loaded) << '\n';
        return 0;
    }
    std::size_t name_width = 0;
    std::size_t value_width = 0;
    for (const config::Entry& entry : loaded.entries) {
        name_width = std::max(name_width, entry.name.size());
        value_width = std::max(value_width, std::min(entry.text.size(), kMaxValueColumn));
    }
    for (const config::Entry& entry : loaded.entries) {
        out << fmt::format("{:<{}} = {:<{}}   ({})\n", entry.name, name_width, entry.text, value_width, entry.origin);
    }
    write_warnings(loaded, out);
    return 0;
}

int config_check(const config::Sources& sources, std::ostream& out) {
    try {
        write_warnings(load_settings(sources).loaded, out);
    } catch (const base::ConfigError& error) {
        out << error.what() << '\n';
        return kExitUsage;
    }
    out << "configuration is valid\n";
    return 0;
}

int config_sample(std::ostream& out) {
    ServiceSettings defaults;
    defaults.data_dir = default_data_dir({}, true);
    out << kSampleHead;
    std::string_view section;
    const config::Schema schema = describe(defaults);
    for (const config::Setting& setting : schema.settings()) {
        const std::string_view name = setting.name;
        const std::size_t dot = name.find('.');
        const std::string_view own_section = dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
        if (own_section != section) {
            section = own_section;
            out << fmt::format("\n[{}]\n", section);
        }
        out << fmt::format("\n# {}.\n# {}{}\n#{} = {}\n",
                           setting.help,
                           fmt::join(setting.environment, ", "),
                           setting.flag.empty() ? "" : ", " + setting.flag,
                           name.substr(dot == std::string_view::npos ? 0 : dot + 1),
                           to_toml(setting));
    }
    return 0;
}

}  // namespace apps
