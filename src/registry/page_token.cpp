#include "registry/page_token.hpp"

#include <optional>

#include "base/strings.hpp"
#include "registry/python.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

namespace registry {

namespace {

namespace json = boost::json;

std::unexpected<base::Error> refuse(std::string_view what) {
    return base::fail(base::Code::invalid_argument, fmt::format("Invalid page token, {}", what));
}

// As Python's b64decode: what is not of the alphabet is skipped, and what follows the padding is not read.
std::optional<std::string> decode(std::string_view token) {
    std::string kept;
    for (const char c : token) {
        const bool is_of_alphabet = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                                    c == '+' || c == '/' || c == '=';
        if (is_of_alphabet && !(c == '=' && kept.size() % 4 < 2)) {
            kept.push_back(c);
        }
        if (c == '=' && !kept.empty() && kept.size() % 4 == 0) {
            break;
        }
    }
    return kept.size() % 4 == 0 ? base::base64_decode(kept) : std::nullopt;
}

// Python takes these for false.
bool is_falsy(const json::value& value) {
    return value.is_null() || value == json::value(0) || value == json::value(0.0) || value == json::value(false) ||
           value == json::value("") || value == json::value(json::array()) || value == json::value(json::object());
}

std::optional<std::int64_t> to_integer(const json::value& value) {
    constexpr double kLimit = 9.2e18;
    if (value.is_int64()) {
        return value.get_int64();
    }
    if (value.is_bool()) {
        return 1;
    }
    if (value.is_double() && value.get_double() < kLimit && value.get_double() > -kLimit) {
        return static_cast<std::int64_t>(value.get_double());
    }
    return value.is_string() ? python::parse_int(value.get_string()) : std::nullopt;
}

}  // namespace

std::string make_page_token(std::int64_t offset) {
    return base::base64_encode(fmt::format(R"({{"offset": {}}})", offset));
}

base::Result<std::int64_t> parse_page_token(std::string_view token) {
    if (token.empty()) {
        return 0;
    }
    const std::optional<std::string> decoded = decode(token);
    if (!decoded) {
        return refuse("could not base64-decode");
    }
    boost::system::error_code error;
    const json::value value = json::parse(*decoded, error);
    if (error) {
        return refuse(fmt::format("decoded value={}", python::bytes_repr(*decoded)));
    }
    const json::value* offset = value.is_object() ? value.get_object().if_contains("offset") : nullptr;
    if (offset == nullptr || is_falsy(*offset)) {
        return refuse(fmt::format("parsed value={}", python::repr(value)));
    }
    const std::optional<std::int64_t> number = to_integer(*offset);
    if (!number) {
        return refuse(fmt::format("not stringable {}",
                                  offset->is_string() ? std::string(offset->get_string()) : python::repr(*offset)));
    }
    return std::max<std::int64_t>(*number, 0);
}

}  // namespace registry
