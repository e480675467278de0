#include "health/json_text.hpp"

#include <cmath>
#include <iterator>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <fmt/format.h>

namespace health {

namespace {

void append(std::string& out, const boost::json::value& value);

void append_key(std::string& out, std::string_view key) {
    out += boost::json::serialize(boost::json::string_view(key.data(), key.size()));
    out += ':';
}

void append_double(std::string& out, double number) {
    if (std::isfinite(number)) {
        fmt::format_to(std::back_inserter(out), "{:#}", number);
    } else {
        out += "null";
    }
}

void append_object(std::string& out, const boost::json::object& object) {
    char separator = '{';
    for (const auto& member : object) {
        out += separator;
        append_key(out, member.key());
        append(out, member.value());
        separator = ',';
    }
    out += object.empty() ? "{}" : "}";
}

void append_array(std::string& out, const boost::json::array& array) {
    char separator = '[';
    for (const auto& item : array) {
        out += separator;
        append(out, item);
        separator = ',';
    }
    out += array.empty() ? "[]" : "]";
}

void append(std::string& out, const boost::json::value& value) {
    if (const auto* number = value.if_double()) {
        append_double(out, *number);
    } else if (const auto* object = value.if_object()) {
        append_object(out, *object);
    } else if (const auto* array = value.if_array()) {
        append_array(out, *array);
    } else {
        out += boost::json::serialize(value);
    }
}

}  // namespace

std::string to_text(const boost::json::value& value) {
    std::string out;
    append(out, value);
    return out;
}

boost::json::value text(std::string_view characters) {
    return boost::json::value(boost::json::string(characters.data(), characters.size()));
}

boost::json::value text_or_null(std::string_view characters) {
    return characters.empty() ? boost::json::value() : text(characters);
}

boost::json::value number_or_null(const std::optional<double>& number) {
    return number ? boost::json::value(*number) : boost::json::value();
}

http::Response json_response(unsigned status, const boost::json::object& body, std::string_view content_type) {
    http::Response response;
    response.status = status;
    response.content_type = content_type;
    append_object(response.body, body);
    response.headers.emplace_back("Cache-Control", "no-store");
    return response;
}

}  // namespace health
