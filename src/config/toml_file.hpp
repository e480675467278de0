// A TOML file (https://toml.io/en/v1.0.0) as a flat list of settings.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace config {

struct TomlEntry {
    std::string key;                      // "section.key"
    std::vector<std::string> parts = {};  // one text, or the items of an array
    bool is_array = false;
    bool is_table = false;  // an empty table: no value at all
    std::size_t line = 0;   // from 1
};

// In the order of the file. Numbers and booleans become text. Throws base::ConfigError, naming the file and, where
// there is one, the line, when the file can't be read, is no TOML, or holds a date or a nested array.
std::vector<TomlEntry> read_toml(const std::filesystem::path& path);

}  // namespace config
