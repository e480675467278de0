// Heads as the parsers deliver them, and written heads taken apart again.
#pragma once

#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/strings.hpp"
#include "http/message_parser.hpp"

namespace mlflow::testing {

inline std::string join_lines(std::initializer_list<std::string_view> lines) {
    std::string head;
    for (const std::string_view line : lines) {
        head.append(line).append("\r\n");
    }
    return head + "\r\n";
}

// Throws std::invalid_argument when `parser` does not take `text` for a head.
template <class Parser>
void parse_head(Parser& parser, const std::string& text) {
    const base::Result<http::ParseStep> step = parser.parse(text);
    if (!step || step->event != http::ParseStep::Event::head) {
        throw std::invalid_argument(text + (step ? "is no complete head" : step.error().message));
    }
}

class ParsedRequest {
public:
    ParsedRequest(std::initializer_list<std::string_view> lines) : ParsedRequest(join_lines(lines)) {}

    explicit ParsedRequest(const std::string& text) {
        parse_head(parser_, text);
    }

    const http::RequestHead& operator*() const {
        return parser_.head();
    }

    const http::RequestHead* operator->() const {
        return &parser_.head();
    }

private:
    http::RequestParser parser_{http::ParserLimits{}};
};

class ParsedAnswer {
public:
    ParsedAnswer(std::initializer_list<std::string_view> lines, http::Method to = http::Method::get) {
        parser_.start(to);
        parse_head(parser_, join_lines(lines));
    }

    const http::ResponseHead& operator*() const {
        return parser_.head();
    }

private:
    http::ResponseParser parser_{http::ParserLimits{}};
};

// The lines of a written head, without the blank one. Throws std::invalid_argument when it does not end with exactly
// one.
inline std::vector<std::string> lines_of(std::string_view head) {
    std::vector<std::string> lines;
    while (true) {
        const std::size_t end = head.find("\r\n");
        if (end == std::string_view::npos || (end == 0 && head.size() != 2)) {
            throw std::invalid_argument("a head must end with its only blank line");
        }
        if (end == 0) {
            return lines;
        }
        lines.emplace_back(head.substr(0, end));
        head.remove_prefix(end + 2);
    }
}

// The values of all fields called `name`, in any case.
inline std::vector<std::string> values_of(std::string_view head, std::string_view name) {
    std::vector<std::string> values;
    for (const std::string& line : lines_of(head)) {
        const std::size_t colon = line.find(": ");
        if (colon != std::string::npos && base::iequals(std::string_view(line).substr(0, colon), name)) {
            values.push_back(line.substr(colon + 2));
        }
    }
    return values;
}

}  // namespace mlflow::testing
