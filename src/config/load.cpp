#include "config/load.hpp"

#include <algorithm>
#include <set>
#include <unistd.h>
#include <utility>

#include "base/ensure.hpp"
#include "base/strings.hpp"
#include "config/toml_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace config {

namespace {

// A value as somebody gave it.
struct Given {
    std::vector<std::string> parts;
    std::string origin;
    std::string variable = {};  // as in Entry
    bool is_array = false;
};

constexpr std::size_t kMaxShownBytes = 120;

// `parts` as they may appear in a message.
std::string shown_value(const Setting& setting, const std::string& value) {
    if (setting.value.is_secret) {
        return "(value not shown)";
    }
    const std::string text = redact(value);
    return text.size() <= kMaxShownBytes ? fmt::format("\"{}\"", text)
                                         : fmt::format("\"{}...\"", text.substr(0, kMaxShownBytes));
}

std::string did_you_mean(std::string_view name, const std::vector<std::string_view>& candidates) {
    if (const auto nearest = base::nearest_name(name, candidates)) {
        return fmt::format("; did you mean {}?", *nearest);
    }
    return "";
}

class Loader {
public:
    Loader(const Schema& schema, const Sources& sources) : schema_(schema), sources_(sources) {}

    Loaded run() {
        read_file();
        for (const auto& [name, values] : sources_.flags) {
            ENSURE(schema_.find(name) != nullptr, "flags are made from the schema");
        }
        Loaded loaded;
        for (const Setting& setting : schema_.settings()) {
            loaded.entries.push_back(load_setting(setting));
        }
        if (!problems_.empty()) {
            throw base::ConfigError(fmt::format("{}", fmt::join(problems_, "\n")));
        }
        loaded.warnings = unknown_variables();
        return loaded;
    }

private:
    void read_file() {
        if (!sources_.file) {
            return;
        }
        for (TomlEntry& entry : read_toml(*sources_.file)) {
            const std::string place = fmt::format("{}:{}", sources_.file->string(), entry.line);
            if (entry.is_table ? is_section(entry.key) : schema_.find(entry.key) != nullptr) {
                file_[entry.key] = {.parts = std::move(entry.parts), .origin = place, .is_array = entry.is_array};
            } else {
                problems_.push_back(
                    fmt::format("{}: unknown setting {}{}", place, entry.key, nearest_setting(entry.key)));
            }
        }
    }

    [[nodiscard]] bool is_section(const std::string& key) const {
        return std::any_of(schema_.settings().begin(), schema_.settings().end(), [&](const Setting& setting) {
            return setting.name.starts_with(key + ".");
        });
    }

    // A setting spelt alike, or one of the same key in another section.
    [[nodiscard]] std::string nearest_setting(std::string_view unknown) const {
        std::vector<std::string_view> names;
        for (const Setting& setting : schema_.settings()) {
            names.emplace_back(setting.name);
        }
        std::string hint = did_you_mean(unknown, names);
        if (hint.empty()) {
            const auto key = [](std::string_view name) { return name.substr(name.rfind('.') + 1); };
            const auto same_key = std::find_if(
                names.begin(), names.end(), [&](std::string_view name) { return key(name) == key(unknown); });
            hint = same_key == names.end() ? "; hokusai config show lists all settings"
                                           : fmt::format("; did you mean {}?", *same_key);
        }
        return hint;
    }

    [[nodiscard]] std::optional<Given> find_given(const Setting& setting) const {
        if (const auto flag = sources_.flags.find(setting.name);
            flag != sources_.flags.end() && !flag->second.empty()) {
            return Given{.parts = flag->second, .origin = "flag " + setting.flag, .is_array = flag->second.size() > 1};
        }
        for (const std::string& variable : setting.environment) {
            const auto found = sources_.environment.find(variable);
            if (found != sources_.environment.end() && !found->second.empty()) {
                return Given{.parts = {found->second}, .origin = "environment " + variable, .variable = variable};
            }
        }
        if (const auto entry = file_.find(setting.name); entry != file_.end()) {
            return entry->second;
        }
        return std::nullopt;
    }

    Entry load_setting(const Setting& setting) {
        Entry entry{.name = setting.name, .origin = "default", .is_secret = setting.value.is_secret};
        const auto given = find_given(setting);
        if (!given) {
            entry.text = redact(setting.value.text());
            return entry;
        }
        const std::string as_given = fmt::format("{}", fmt::join(given->parts, ","));
        const auto assigned = assign(setting, *given);
        if (!assigned) {
            problems_.push_back(fmt::format("{}: {} {} {}; correct it, or remove it for the default ({})",
                                            given->origin,
                                            setting.name,
                                            shown_value(setting, as_given),
                                            assigned.error().message,
                                            setting.default_text.empty() ? "none" : setting.default_text));
        }
        const bool has_reference = std::any_of(given->parts.begin(), given->parts.end(), is_reference);
        entry.text = has_reference && !setting.value.is_secret ? as_given : redact(setting.value.text());
        entry.origin = given->origin;
        entry.variable = given->variable;
        return entry;
    }

    [[nodiscard]] base::Result<void> assign(const Setting& setting, const Given& given) const {
        if (given.is_array && !setting.value.is_list) {
            return base::fail(base::Code::invalid_argument, "must be a single value");
        }
        std::vector<std::string> values;
        for (const std::string& part : given.parts) {
            auto value = is_reference(part) ? resolve(part, sources_.environment) : part;
            if (!value) {
                return std::unexpected(std::move(value).error());
            }
            values.push_back(*std::move(value));
        }
        return setting.value.assign(fmt::format("{}", fmt::join(values, ",")));
    }

    [[nodiscard]] std::vector<std::string> unknown_variables() const {
        std::set<std::string_view> known(schema_.accepted_environment().begin(), schema_.accepted_environment().end());
        for (const Setting& setting : schema_.settings()) {
            known.insert(setting.environment.begin(), setting.environment.end());
        }
        const std::vector<std::string_view> candidates(known.begin(), known.end());
        std::vector<std::string> warnings;
        for (const auto& [variable, value] : sources_.environment) {
            if (variable.starts_with("HOKUSAI_") && !known.contains(variable)) {
                warnings.push_back(fmt::format("environment variable {} is no setting and was ignored{}",
                                               variable,
                                               did_you_mean(variable, candidates)));
            }
        }
        return warnings;
    }

    const Schema& schema_;
    const Sources& sources_;
    std::map<std::string, Given, std::less<>> file_;  // by setting name
    std::vector<std::string> problems_;
};

}  // namespace

Environment process_environment() {
    Environment variables;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        const std::string_view text(*variable);
        const std::size_t equals = text.find('=');
        if (equals != std::string_view::npos) {
            variables.emplace(text.substr(0, equals), text.substr(equals + 1));
        }
    }
    return variables;
}

const Entry& Loaded::at(std::string_view name) const {
    const auto found =
        std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.name == name; });
    ENSURE(found != entries.end(), "the name is one of the schema's");
    return *found;
}

Loaded load(const Schema& schema, const Sources& sources) {
    return Loader(schema, sources).run();
}

}  // namespace config
