// Flags that all commands share.
#pragma once

#include <filesystem>
#include <string>

#include "apps/settings.hpp"

#include <CLI/App.hpp>

namespace apps {

inline constexpr const char* kFooter =
    "Exit codes: 0 done, 1 failure, 2 usage or configuration.\n"
    "Every setting: hokusai config sample, or man hokusai.";

// Flags go where environment and file go too: into the sources of one table of settings.
class Flags {
public:
    void add(CLI::App& command,
             const std::string& flag,
             const std::string& value,
             const std::string& setting,
             const std::string& help,
             bool is_repeatable = false) {
        CLI::Option* option =
            command.add_option(flag, sources_.flags[setting], help)->type_name(value)->allow_extra_args(false);
        if (!is_repeatable) {
            option->expected(1);
        }
    }

    // A secret by the name of the file that holds it.
    void set_secret_file(const std::string& setting, const std::string& file) {
        sources_.flags[setting] = {"file://" + std::filesystem::absolute(file).string()};
    }

    void add_file(CLI::App& command) {
        command.add_option("--config", file_, "read settings from this TOML file")->type_name("FILE");
    }

    [[nodiscard]] config::Sources sources() const {
        config::Sources sources = sources_;
        sources.environment = config::process_environment();
        if (!file_.empty()) {
            sources.file = file_;
        }
        return sources;
    }

private:
    config::Sources sources_;
    std::string file_;
};

}  // namespace apps
