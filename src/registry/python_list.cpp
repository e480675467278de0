#include "registry/python_list.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "registry/python.hpp"

#include <fmt/format.h>

namespace registry {

namespace {

constexpr std::string_view kSpaces = " \t\r\n\f";

std::unexpected<base::Error> refuse(std::string_view what) {
    return base::fail(base::Code::invalid_argument,
                      fmt::format("While parsing a list in the query, expected {}", what));
}

void append_utf8(std::string& out, std::uint32_t point) {
    if (point < 0x80U) {
        out.push_back(static_cast<char>(point));
        return;
    }
    const int continuations = point < 0x800U ? 1 : point < 0x10000U ? 2 : 3;
    constexpr std::array<std::uint32_t, 4> kFirst{0, 0xC0U, 0xE0U, 0xF0U};
    out.push_back(
        static_cast<char>(kFirst.at(static_cast<std::size_t>(continuations)) | (point >> (6 * continuations))));
    for (int i = continuations - 1; i >= 0; --i) {
        out.push_back(static_cast<char>(0x80U | ((point >> (6 * i)) & 0x3FU)));
    }
}

class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {}

    base::Result<std::vector<std::string>> read() {
        constexpr std::string_view kIllFormed = "a non-empty list of string values, but got ill-formed list.";
        std::vector<std::string> strings;
        std::vector<std::string> shown;  // repr() of each item
        if (!take('(')) {
            return refuse(kIllFormed);
        }
        while (!take(')')) {
            if (auto text = read_strings()) {
                shown.push_back(python::repr(std::string_view(*text)));
                strings.push_back(*std::move(text));
            } else if (std::string other = read_other(); !other.empty()) {
                shown.push_back(std::move(other));
            } else {
                return refuse(kIllFormed);
            }
            skip_space();
            if (!take(',') && !rest_.starts_with(')')) {
                return refuse(kIllFormed);
            }
        }
        skip_space();
        if (!rest_.empty()) {
            return refuse(kIllFormed);
        }
        if (shown.empty()) {
            return refuse("a non-empty list of string values, but got empty list");
        }
        if (strings.size() < shown.size()) {
            return refuse(
                fmt::format("string value, punctuation, or whitespace, but got different type in list: ({}{})",
                            fmt::join(shown, ", "),
                            shown.size() == 1 ? "," : ""));
        }
        return strings;
    }

private:
    void skip_space() {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(kSpaces), rest_.size()));
    }

    bool take(char expected) {
        skip_space();
        const bool is_there = rest_.starts_with(expected);
        rest_.remove_prefix(is_there ? 1 : 0);
        return is_there;
    }

    // Nothing when there is no string, or none that is well-formed.
    std::optional<std::string> read_strings() {
        std::string text;
        bool is_any = false;
        for (skip_space(); rest_.starts_with('\'') || rest_.starts_with('"'); skip_space()) {
            if (!read_string(text)) {
                return std::nullopt;
            }
            is_any = true;
        }
        return is_any ? std::optional(text) : std::nullopt;
    }

    bool read_string(std::string& out) {
        const char quote = rest_.front();
        rest_.remove_prefix(1);
        while (!rest_.empty() && rest_.front() != quote && rest_.front() != '\n') {
            if (rest_.front() != '\\') {
                out.push_back(rest_.front());
                rest_.remove_prefix(1);
            } else if (!read_escape(out)) {
                return false;
            }
        }
        const bool is_closed = rest_.starts_with(quote);
        rest_.remove_prefix(is_closed ? 1 : 0);
        return is_closed;
    }

    bool read_escape(std::string& out) {
        constexpr std::string_view kNames = "\\'\"abfnrtv";
        constexpr std::string_view kValues = "\\'\"\a\b\f\n\r\t\v";
        rest_.remove_prefix(1);
        if (rest_.empty()) {
            return false;
        }
        const char name = rest_.front();
        if (name >= '0' && name <= '7') {
            return read_code(out, 0, 3, 8);
        }
        if (name == 'x') {
            return read_code(out, 1, 2, 16);
        }
        if (name == 'u') {
            return read_code(out, 1, 4, 16);
        }
        if (name == 'U') {
            return read_code(out, 1, 8, 16);
        }
        rest_.remove_prefix(1);
        if (name == '\n') {
            return true;
        }
        if (const std::size_t index = kNames.find(name); index != std::string_view::npos) {
            out.push_back(kValues[index]);
        } else {
            out.push_back('\\');
            out.push_back(name);
        }
        return true;
    }

    // A number of `digits` digits, or of up to so many in octal, behind `skipped` letters.
    bool read_code(std::string& out, std::size_t skipped, std::size_t digits, int base) {
        rest_.remove_prefix(skipped);
        const std::string_view field = rest_.substr(0, digits);
        std::uint32_t point = 0;
        const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), point, base);
        const auto size = static_cast<std::size_t>(end - field.data());
        const bool is_surrogate = point >= 0xD800U && point < 0xE000U;
        if (error != std::errc() || (base == 16 && size != digits) || point > 0x10FFFFU || is_surrogate) {
            return false;
        }
        append_utf8(out, point);
        rest_.remove_prefix(size);
        return true;
    }

    // The repr() of a number or a constant; empty when it is neither.
    std::string read_other() {
        const std::string_view word = rest_.substr(0, rest_.find_first_of(",() \t\r\n\f"));
        rest_.remove_prefix(word.size());
        if (word == "None" || word == "True" || word == "False") {
            return std::string(word);
        }
        if (const auto number = python::parse_int(word); number) {
            return std::to_string(*number);
        }
        if (word.empty() || word.find_first_not_of("0123456789.eE+-") != std::string_view::npos) {
            return "";
        }
        return python::repr(boost::json::value(python::parse_float(word)));
    }

    std::string_view rest_;
};

}  // namespace

base::Result<std::vector<std::string>> parse_string_list(std::string_view text) {
    return Reader(text).read();
}

}  // namespace registry
