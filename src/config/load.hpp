// Fills the fields of a schema from flags, environment and file, in that order of precedence, and remembers which won.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/reference.hpp"
#include "config/schema.hpp"

namespace config {

struct Sources {
    std::map<std::string, std::vector<std::string>, std::less<>> flags;  // by setting name; no values: flag not given
    Environment environment;                                             // an empty variable counts as not set
    std::optional<std::filesystem::path> file;
};

// What the process was started with.
Environment process_environment();

struct Entry {
    std::string name;
    std::string text = {};      // effective value; <set> or <unset> for a secret; a reference as it was given
    std::string origin;         // "flag --listen", "environment HOKUSAI_LISTEN", "/etc/hokusai.toml:3" or "default"
    std::string variable = {};  // the environment variable it came from, else empty
    bool is_secret = false;
};

struct Loaded {
    std::vector<Entry> entries;  // in the order of the schema
    std::vector<std::string> warnings;

    // `name` must be in the schema.
    [[nodiscard]] const Entry& at(std::string_view name) const;
};

// Assigns every given value to its field; settings nobody gave keep what the field held. Throws base::ConfigError with
// one line for each problem: unreadable file, unknown key, value that is not allowed. HOKUSAI_* variables nobody knows
// become warnings.
Loaded load(const Schema& schema, const Sources& sources);

}  // namespace config
