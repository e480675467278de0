// The settings of a program: their names, where they may come from, and the fields they fill.
//
//   Schema schema;
//   schema.add("server.listen", host_port(settings.listen), {.environment = {"HOKUSAI_LISTEN"}, .flag = "--listen",
//   .help = "..."}); Loaded loaded = load(schema, sources);  // load.hpp
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "config/addresses.hpp"
#include "config/values.hpp"

namespace config {

// Ties one setting to one typed field. It refers to the field, which must stay where it is as long as the schema is
// used.
struct Binding {
    std::function<base::Result<void>(std::string_view)> assign;  // leaves the field alone when it fails
    std::function<std::string()> text;                           // the field as a user would write it; never a secret
    bool is_secret = false;
    bool is_list = false;  // several values are joined with commas before assign()
};

// What assign() does with a parsed value.
template <class Value, class Field>
base::Result<void> store(base::Result<Value> value, Field& field) {
    if (!value) {
        return std::unexpected(std::move(value).error());
    }
    field = static_cast<Field>(*std::move(value));
    return {};
}

Binding text(std::string& field);
Binding boolean(bool& field);
Binding duration(base::Duration& field, base::Duration min, base::Duration max);
Binding byte_size(std::size_t& field, std::size_t min, std::size_t max);
Binding host_port(HostPort& field);

// Shown as <set> or <unset>.
Binding secret(base::Secret& field);

template <std::unsigned_integral T>
Binding number(T& field, T min = 0, T max = std::numeric_limits<T>::max()) {
    return {
        .assign = [&field, min, max](std::string_view given) { return store(parse_number(given, min, max), field); },
        .text = [&field] { return std::to_string(field); }};
}

// One of a few words.
template <class T>
Binding one_of(T& field, std::vector<std::pair<std::string_view, std::type_identity_t<T>>> choices) {
    return {.assign = [&field, choices](std::string_view given) -> base::Result<void> {
                std::string allowed;
                for (const auto& [word, value] : choices) {
                    if (word == given) {
                        field = value;
                        return {};
                    }
                    allowed += allowed.empty() ? word : std::string(", ").append(word);
                }
                return base::fail(base::Code::invalid_argument, "must be one of: " + allowed);
            },
            .text =
                [&field, choices] {
                    for (const auto& [word, value] : choices) {
                        if (value == field) {
                            return std::string(word);
                        }
                    }
                    return std::string();
                }};
}

// `parse` takes one item; `write` is its inverse.
template <class T>
Binding list(std::vector<T>& field,
             std::type_identity_t<std::function<base::Result<T>(std::string_view)>> parse,
             std::type_identity_t<std::function<std::string(const T&)>> write) {
    return {.assign = [&field, parse](std::string_view given) -> base::Result<void> {
                const auto items = parse_list(given);
                if (!items) {
                    return std::unexpected(items.error());
                }
                std::vector<T> values;
                for (const std::string& item : *items) {
                    auto value = parse(item);
                    if (!value) {
                        return std::unexpected(std::move(value).error());
                    }
                    values.push_back(*std::move(value));
                }
                field = std::move(values);
                return {};
            },
            .text =
                [&field, write] {
                    std::string joined;
                    for (const T& value : field) {
                        joined += (joined.empty() ? "" : ",") + write(value);
                    }
                    return joined;
                },
            .is_list = true};
}

Binding list(std::vector<std::string>& field, std::function<base::Result<std::string>(std::string_view)> parse);

struct About {
    std::vector<std::string> environment = {};  // existing names, tried after the systematic one, in order
    std::string flag = {};                      // "--listen"; empty: none
    std::string help;                           // one line, without a full stop
};

struct Setting {
    std::string name;                      // "section.key", or "key": its path in the file
    std::vector<std::string> environment;  // in order of precedence; first HOKUSAI_SECTION_KEY
    std::string flag;
    std::string help;
    std::string default_text;  // the field when it was bound
    Binding value;
};

class Schema {
public:
    // `name` must be new.
    void add(std::string name, Binding value, About about);

    // Nothing to assign, but no warning either: a HOKUSAI_* variable read elsewhere.
    void accept_environment(std::string name);

    [[nodiscard]] const std::vector<Setting>& settings() const {
        return settings_;
    }

    [[nodiscard]] const std::vector<std::string>& accepted_environment() const {
        return accepted_environment_;
    }

    // Null when there is none.
    [[nodiscard]] const Setting* find(std::string_view name) const;

private:
    std::vector<Setting> settings_;
    std::vector<std::string> accepted_environment_;
};

}  // namespace config
