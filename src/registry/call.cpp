#include "registry/call.hpp"

#include <optional>
#include <utility>
#include <vector>

#include "base/strings.hpp"
#include "registry/schema.hpp"
#include "registry/utf8.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace registry {

namespace {

namespace json = boost::json;

struct QueryPair {
    std::string key;
    std::string value;
};

constexpr std::string_view kDefaultWorkspace = "default";

// Percent-encoding undone, except for what then would not be UTF-8.
std::string decode(std::string_view text) {
    std::string plus_free(text);
    for (char& c : plus_free) {
        c = c == '+' ? ' ' : c;
    }
    const std::string bytes = base::percent_decode(plus_free);
    std::string decoded;
    for (std::string_view rest = bytes; !rest.empty();) {
        const std::string_view before = rest;
        const bool is_invalid = next_code_point(rest) == 0xFFFDU && before.size() - rest.size() == 1;
        if (is_invalid) {
            constexpr std::string_view kDigits = "0123456789ABCDEF";
            const auto byte = static_cast<unsigned char>(before.front());
            decoded += {'%', kDigits[byte >> 4U], kDigits[byte & 0xFU]};
        } else {
            decoded += before.substr(0, before.size() - rest.size());
        }
    }
    return decoded;
}

std::vector<QueryPair> parse_query(std::string_view query) {
    std::vector<QueryPair> pairs;
    while (!query.empty()) {
        const std::string_view part = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(part.size() + 1, query.size()));
        if (!part.empty()) {
            const std::size_t equals = std::min(part.find('='), part.size());
            pairs.push_back({decode(part.substr(0, equals)), decode(part.substr(std::min(equals + 1, part.size())))});
        }
    }
    return pairs;
}

// The first of each parameter that is single, all of those that are lists.
json::object from_query(const std::vector<QueryPair>& pairs, std::span<const Parameter> parameters) {
    json::object found;
    for (const Parameter& parameter : parameters) {
        const bool is_list = parameter.kind == Kind::texts;
        json::array values;
        for (const QueryPair& pair : pairs) {
            if (pair.key == parameter.name && (is_list || values.empty())) {
                values.emplace_back(pair.value);
            }
        }
        if (!values.empty()) {
            found[parameter.name] = is_list ? json::value(values) : values.front();
        }
    }
    return found;
}

std::optional<json::value> parse_json(std::string_view text) {
    json::parse_options options;
    options.max_depth = 100;
    boost::system::error_code error;
    json::value value = json::parse(text, error, {}, options);
    return error ? std::nullopt : std::optional(std::move(value));
}

// What is no JSON at all counts as no body. Old clients send a string that holds JSON.
base::Result<json::object> parse_body(std::string_view body) {
    std::optional<json::value> value = parse_json(body);
    if (value && value->is_string()) {
        value = parse_json(value->get_string()).value_or(json::value(false));
    }
    if (!value || value->is_null()) {
        return json::object();
    }
    if (!value->is_object()) {
        return base::fail(base::Code::invalid_argument, "The request body must be a JSON object.");
    }
    return std::move(value->get_object());
}

base::Result<void> check_content_type(const Call& call) {
    if (call.method != "POST" && call.method != "PUT") {
        return {};
    }
    if (call.content_type.empty()) {
        return base::fail(base::Code::invalid_argument, "Bad Request. Content-Type header is missing.");
    }
    if (call.content_type.substr(0, call.content_type.find(';')) != "application/json") {
        return base::fail(base::Code::invalid_argument,
                          "Bad Request. Content-Type must be one of ['application/json'].");
    }
    return {};
}

}  // namespace

std::string_view normal_workspace(std::string_view name) {
    const std::string_view trimmed = base::trim(name);
    return trimmed == kDefaultWorkspace ? std::string_view() : trimmed;
}

base::Result<json::object> arguments_of(const Call& call) {
    const std::span<const Parameter> parameters = parameters_of(call.operation);
    if (call.method == "GET") {
        if (const std::vector<QueryPair> pairs = parse_query(call.query); !pairs.empty()) {
            return parse_arguments(parameters, from_query(pairs, parameters));
        }
    }
    if (auto checked = check_content_type(call); !checked) {
        return std::unexpected(checked.error());
    }
    const auto body = parse_body(call.body);
    if (!body) {
        return std::unexpected(body.error());
    }
    return parse_arguments(parameters, *body);
}

}  // namespace registry
