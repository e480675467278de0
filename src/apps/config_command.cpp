#include "apps/config_command.hpp"

#include <algorithm>
#include <cstddef>
#include <string>

#include "apps/settings.hpp"
#include "base/error.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

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

}  // namespace apps
