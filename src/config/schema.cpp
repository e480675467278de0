#include "config/schema.hpp"

#include <algorithm>

#include "base/ensure.hpp"

namespace config {

namespace {

// "server.listen" is HOKUSAI_SERVER_LISTEN.
std::string systematic_variable(std::string_view name) {
    std::string variable = "HOKUSAI_";
    for (const char c : name) {
        const bool is_lower = c >= 'a' && c <= 'z';
        variable += c == '.' ? '_' : (is_lower ? static_cast<char>(c - 'a' + 'A') : c);
    }
    return variable;
}

}  // namespace

Binding text(std::string& field) {
    return {.assign = [&field](std::string_view given) -> base::Result<void> {
                field = given;
                return {};
            },
            .text = [&field] { return field; }};
}

Binding boolean(bool& field) {
    return {.assign = [&field](std::string_view given) { return store(parse_bool(given), field); },
            .text = [&field] { return std::string(field ? "true" : "false"); }};
}

Binding duration(base::Duration& field, base::Duration min, base::Duration max) {
    return {
        .assign = [&field, min, max](std::string_view given) { return store(parse_duration(given, min, max), field); },
        .text = [&field] { return to_text(field); }};
}

Binding byte_size(std::size_t& field, std::size_t min, std::size_t max) {
    return {
        .assign = [&field, min, max](std::string_view given) { return store(parse_byte_size(given, min, max), field); },
        .text = [&field] { return byte_size_text(field); }};
}

Binding host_port(HostPort& field) {
    return {.assign = [&field](std::string_view given) { return store(parse_host_port(given), field); },
            .text = [&field] { return to_text(field); }};
}

Binding secret(base::Secret& field) {
    return {.assign = [&field](std::string_view given) -> base::Result<void> {
                field = base::Secret(std::string(given));
                return {};
            },
            .text = [&field] { return std::string(field.is_empty() ? "<unset>" : "<set>"); },
            .is_secret = true};
}

Binding list(std::vector<std::string>& field, std::function<base::Result<std::string>(std::string_view)> parse) {
    return list<std::string>(field, std::move(parse), [](const std::string& item) { return item; });
}

void Schema::add(std::string name, Binding value, About about) {
    ENSURE(find(name) == nullptr, "each setting is described once");
    std::vector<std::string> environment{systematic_variable(name)};
    for (std::string& variable : about.environment) {
        if (variable != environment.front()) {
            environment.push_back(std::move(variable));
        }
    }
    std::string default_text = value.text();
    settings_.push_back({.name = std::move(name),
                         .environment = std::move(environment),
                         .flag = std::move(about.flag),
                         .help = std::move(about.help),
                         .default_text = std::move(default_text),
                         .value = std::move(value)});
}

void Schema::accept_environment(std::string name) {
    accepted_environment_.push_back(std::move(name));
}

const Setting* Schema::find(std::string_view name) const {
    const auto found =
        std::find_if(settings_.begin(), settings_.end(), [&](const Setting& setting) { return setting.name == name; });
    return found == settings_.end() ? nullptr : &*found;
}

}  // namespace config
