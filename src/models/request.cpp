#include "models/request.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/strings.hpp"
#include "registry/utf8.hpp"

#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

namespace models {

namespace {

namespace json = boost::json;

constexpr std::size_t kMaxNameLength = 256;

// Sees every member's name as it is parsed, and stops at one its object has already.
class UniqueNames {
public:
    static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

    [[nodiscard]] const std::optional<std::string>& twice() const {
        return twice_;
    }

    // What json::basic_parser calls; false would need an error code.
    bool on_document_begin(json::error_code& /*error*/) {
        return true;
    }

    bool on_document_end(json::error_code& /*error*/) {
        return true;
    }

    bool on_object_begin(json::error_code& /*error*/) {
        names_.emplace_back();
        return true;
    }

    bool on_object_end(std::size_t /*size*/, json::error_code& /*error*/) {
        names_.pop_back();
        return true;
    }

    bool on_array_begin(json::error_code& /*error*/) {
        return true;
    }

    bool on_array_end(std::size_t /*size*/, json::error_code& /*error*/) {
        return true;
    }

    bool on_key_part(json::string_view part, std::size_t /*size*/, json::error_code& /*error*/) {
        key_.append(part.data(), part.size());
        return true;
    }

    bool on_key(json::string_view part, std::size_t /*size*/, json::error_code& /*error*/) {
        key_.append(part.data(), part.size());
        if (!names_.back().insert(key_).second && !twice_) {
            twice_ = key_;
        }
        key_.clear();
        return true;
    }

    bool on_string_part(json::string_view /*part*/, std::size_t /*size*/, json::error_code& /*error*/) {
        return true;
    }

    bool on_string(json::string_view /*part*/, std::size_t /*size*/, json::error_code& /*error*/) {
        return true;
    }

    bool on_number_part(json::string_view /*part*/, json::error_code& /*error*/) {
        return true;
    }

    bool on_int64(std::int64_t /*value*/, json::string_view /*text*/, json::error_code& /*error*/) {
        return true;
    }

    bool on_uint64(std::uint64_t /*value*/, json::string_view /*text*/, json::error_code& /*error*/) {
        return true;
    }

    bool on_double(double /*value*/, json::string_view /*text*/, json::error_code& /*error*/) {
        return true;
    }

    bool on_bool(bool /*value*/, json::error_code& /*error*/) {
        return true;
    }

    bool on_null(json::error_code& /*error*/) {
        return true;
    }

    bool on_comment_part(json::string_view /*part*/, json::error_code& /*error*/) {
        return true;
    }

    bool on_comment(json::string_view /*part*/, json::error_code& /*error*/) {
        return true;
    }

private:
    std::vector<std::set<std::string>> names_;
    std::string key_;
    std::optional<std::string> twice_;
};

std::optional<std::string> repeated_name(std::string_view body) {
    json::basic_parser<UniqueNames> parser(json::parse_options{});
    json::error_code error;
    parser.write_some(false, body.data(), body.size(), error);
    return parser.handler().twice();
}

// Numbers beyond what a double holds could not be written down again.
bool is_finite(const json::value& value) {
    switch (value.kind()) {
        case json::kind::double_:
            return std::isfinite(value.get_double());
        case json::kind::array:
            return std::ranges::all_of(value.get_array(), is_finite);
        case json::kind::object:
            return std::ranges::all_of(value.get_object(),
                                       [](const auto& member) { return is_finite(member.value()); });
        default:
            return true;
    }
}

bool is_json(std::string_view content_type) {
    const std::string type = base::to_lower(base::trim(content_type.substr(0, content_type.find(';'))));
    return type.empty() || type == "application/json" || (type.starts_with("application/") && type.ends_with("+json"));
}

std::unexpected<http::Response> invalid_body(std::string_view message, std::string_view type) {
    FieldErrors errors;
    errors.add({"body"}, message, type);
    return std::unexpected(errors.response());
}

std::string decode_parameter(std::string_view text) {
    std::string spaced(text);
    std::ranges::replace(spaced, '+', ' ');
    return base::percent_decode(spaced);
}

std::unexpected<http::Response> no_such_model(std::string_view model, std::string_view version) {
    return refuse(404,
                  is_clean_text(model) && is_clean_text(version) ? fmt::format("Model not found: {}:{}", model, version)
                                                                 : "Model not found");
}

}  // namespace

bool is_clean_text(std::string_view text) {
    while (!text.empty()) {
        const std::string_view before = text;
        const char32_t c = registry::next_code_point(text);
        const bool is_replaced = c == U'\uFFFD' && !before.starts_with("\uFFFD");
        if (c < 0x20 || c == 0x7F || is_replaced) {
            return false;
        }
    }
    return true;
}

std::optional<std::vector<std::string>> split_path(std::string_view path) {
    const std::size_t start = path.find("/models");
    if (start == std::string_view::npos) {
        return std::nullopt;
    }
    path.remove_prefix(start + std::string_view("/models").size());
    std::vector<std::string> parts;
    if (path.empty() || path == "/") {
        return parts;
    }
    while (!path.empty()) {
        path.remove_prefix(1);
        const std::string_view part = path.substr(0, path.find('/'));
        path.remove_prefix(part.size());
        std::string decoded = base::percent_decode(part);
        if (decoded.empty() || !is_clean_text(decoded)) {
            return std::nullopt;
        }
        parts.push_back(std::move(decoded));
    }
    return parts;
}

std::optional<std::string> query_parameter(const Request& request, std::string_view name, FieldErrors& errors) {
    std::optional<std::string> found;
    std::string_view rest = request.query;
    while (!rest.empty()) {
        const std::string_view pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
        const std::size_t equals = pair.find('=');
        if (decode_parameter(pair.substr(0, equals)) != name) {
            continue;
        }
        if (found) {
            errors.add({"query", name}, "Given more than once", "repeated");
            return std::nullopt;
        }
        found = equals == std::string_view::npos ? "" : decode_parameter(pair.substr(equals + 1));
    }
    if (found && !is_clean_text(*found)) {
        errors.add({"query", name}, "Must be UTF-8 text without control characters", "string_type");
        return std::nullopt;
    }
    return found;
}

Outcome<json::object> read_object(const Request& request) {
    if (!is_json(request.content_type)) {
        return refuse(415, "The body must be JSON, with Content-Type: application/json");
    }
    if (request.body.empty()) {
        return invalid_body("Field required", "missing");
    }
    json::error_code error;
    json::value value = json::parse(request.body, error);
    if (error) {
        return invalid_body("Not valid JSON: " + error.message(), "json_invalid");
    }
    if (!value.is_object()) {
        return invalid_body("Must be a JSON object", "dict_type");
    }
    if (!is_finite(value)) {
        return invalid_body("A number is too large", "json_invalid");
    }
    if (const auto twice = repeated_name(request.body)) {
        return invalid_body(fmt::format("An object has the member '{}' twice", *twice), "json_invalid");
    }
    return std::move(value.get_object());
}

std::string VersionName::text() const {
    return fmt::format("{}:{}", model, version);
}

std::optional<std::int64_t> parse_version(std::string_view text) {
    const auto number = base::parse_uint(text);
    if (!number || *number == 0 || text.front() == '0' || *number > std::numeric_limits<std::int32_t>::max()) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(*number);
}

Outcome<VersionName> version_name(std::string_view model, std::string_view version) {
    const auto number = parse_version(version);
    const bool is_name = !model.empty() && is_clean_text(model) && registry::length(model) <= kMaxNameLength &&
                         model.find_first_of("/:") == std::string_view::npos;
    if (!number || !is_name) {
        return no_such_model(model, version);
    }
    return VersionName{std::string(model), *number};
}

Outcome<VersionName> version_in_path(const Request& request) {
    return version_name(request.arguments.at(0), request.arguments.at(1));
}

Outcome<VersionName> parse_reference(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size() ||
        text.find(':', colon + 1) != std::string_view::npos) {
        return refuse(400, "Invalid model format. Use ModelName:Version");
    }
    return version_name(text.substr(0, colon), text.substr(colon + 1));
}

}  // namespace models
