// What a parser tells about bytes that arrive in pieces, as one line of text.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "http/message_parser.hpp"

namespace http::testing {

inline std::string describe(const Framing& framing) {
    switch (framing.kind) {
        case Framing::Kind::none:
            return "none";
        case Framing::Kind::length:
            return "length " + std::to_string(framing.length);
        case Framing::Kind::chunked:
            return "chunked";
        case Framing::Kind::until_close:
            return "until close";
    }
    return "?";
}

inline std::string describe(const Fields& fields) {
    std::string text;
    for (const Field& field : fields) {
        text += " " + std::string(field.name) + "=[" + std::string(field.value) + "]";
    }
    return text;
}

inline std::string describe(const RequestHead& head) {
    return std::string(head.method_text) + " " + std::string(head.path) + "?" + std::string(head.query) + " 1." +
           std::to_string(head.minor_version) + describe(head.fields) + " " + describe(head.framing) +
           (head.is_keep_alive ? "" : " close");
}

inline std::string describe(const ResponseHead& head) {
    return std::to_string(head.status) + " " + std::string(head.reason) + " 1." + std::to_string(head.minor_version) +
           describe(head.fields) + " " + describe(head.framing) + (head.is_keep_alive ? "" : " close");
}

// Feeds `bytes` as a connection does: what a piece leaves unused is given again in front of the next one, and after
// each end the next message begins (`restart`). Body pieces are joined. "{head}body<end>{head}..." and at last "" or
// "!code: message".
template <class Parser, class Restart>
std::string parse_all(Parser& parser, const std::vector<std::string_view>& pieces, Restart restart) {
    std::string told;
    std::string buffer;
    restart(parser);
    for (const std::string_view piece : pieces) {
        buffer += piece;
        for (bool needs_more = false; !needs_more;) {
            const base::Result<ParseStep> step = parser.parse(buffer);
            if (!step) {
                return told + "!" + std::string(base::to_string(step.error().code)) + ": " + step.error().message;
            }
            told += step->body;
            buffer.erase(0, step->consumed);
            needs_more = step->event == ParseStep::Event::need_more;
            if (step->event == ParseStep::Event::head) {
                told += "{" + describe(parser.head()) + "}";
            } else if (step->event == ParseStep::Event::end) {
                told += "<end>";
                restart(parser);
            }
        }
    }
    return told;
}

// `bytes` cut at `places`, which are in order.
inline std::vector<std::string_view> cut(std::string_view bytes, const std::vector<std::size_t>& places) {
    std::vector<std::string_view> pieces;
    std::size_t begin = 0;
    for (const std::size_t place : places) {
        pieces.push_back(bytes.substr(begin, place - begin));
        begin = place;
    }
    pieces.push_back(bytes.substr(begin));
    return pieces;
}

inline std::string parse_requests(const std::vector<std::string_view>& pieces, ParserLimits limits = {}) {
    RequestParser parser(limits);
    return parse_all(parser, pieces, [](RequestParser& each) { each.start(); });
}

inline std::string parse_responses(const std::vector<std::string_view>& pieces,
                                   Method method = Method::get,
                                   ParserLimits limits = {}) {
    ResponseParser parser(limits);
    return parse_all(parser, pieces, [method](ResponseParser& each) { each.start(method); });
}

// One byte after the other.
inline std::vector<std::string_view> drip(std::string_view bytes) {
    std::vector<std::string_view> pieces;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        pieces.push_back(bytes.substr(i, 1));
    }
    return pieces;
}

}  // namespace http::testing
