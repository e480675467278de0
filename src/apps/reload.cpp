#include "apps/reload.hpp"

#include <string>
#include <utility>

#include "apps/settings.hpp"
#include "telemetry/log.hpp"

namespace apps {

void reload_settings(const config::Sources& sources, config::Loaded& known) {
    try {
        LoadedSettings loaded = load_settings(sources);
        for (std::size_t i = 0; i < loaded.loaded.entries.size(); ++i) {
            const config::Entry& entry = loaded.loaded.entries[i];
            const config::Entry& before = known.entries.at(i);  // the schema, and so its order, never changes
            if (entry.text == before.text) {
                continue;
            }
            const bool is_applied = entry.name == "log.level";
            telemetry::log_warn("setting_changed",
                                {{"setting", entry.name},
                                 {"from", before.text},
                                 {"to", entry.text},
                                 {"effect", is_applied ? "applied" : "needs a restart"}});
        }
        telemetry::set_log_level(loaded.settings.log.level);
        known = std::move(loaded.loaded);
        telemetry::log_info("settings_reloaded");
    } catch (const base::ConfigError& error) {
        telemetry::log_error("settings_not_reloaded",
                             {{"error", error.what()}, {"action", "the settings known so far stay in force"}});
    }
}

}  // namespace apps
