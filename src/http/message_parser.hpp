// Bytes in, heads and body pieces out: incremental HTTP/1.1 parsers without I/O. The grammar is grammar.hpp, framing is
// decided by framing.hpp, bodies are body_decoder.hpp.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "http/body_decoder.hpp"
#include "http/message.hpp"

namespace http {

struct ParserLimits {
    std::size_t max_head_bytes = 64UL * 1024;
    std::size_t max_fields = 256;
};

// Collects the bytes of a head until its blank line has come.
class HeadText {
public:
    explicit HeadText(ParserLimits limits) : limits_(limits) {}

    void clear();

    // Whether the head at the front of `bytes` is complete; then text() holds it. Errors: invalid_argument for a line
    // without CRLF, exhausted for a head without end.
    base::Result<bool> collect(std::string_view bytes);

    // The whole head with its blank line, until clear().
    [[nodiscard]] std::string_view text() const {
        return text_;
    }

    // Takes the first line off `rest`, without its CRLF.
    static std::string_view take_line(std::string_view& rest);

    // The field lines in `rest`, up to the blank one. Errors: those of parse_field_line(), exhausted for too many.
    base::Result<void> parse_fields(std::string_view rest, Fields& fields) const;

private:
    ParserLimits limits_;
    std::string text_;
    std::size_t line_begin_ = 0;
    std::size_t searched_ = 0;  // for the end of that line
};

// One per connection, reused for message after message. Errors are invalid_argument (malformed or ambiguous) or
// exhausted (a limit); after one the connection must be closed.
class RequestParser {
public:
    explicit RequestParser(ParserLimits limits) : text_(limits) {}

    RequestParser(const RequestParser&) = delete;  // its heads point into it
    RequestParser& operator=(const RequestParser&) = delete;

    // Forgets the last message; its head's views end here.
    void start();

    base::Result<ParseStep> parse(std::string_view bytes);

    // From Event::head until start().
    [[nodiscard]] const RequestHead& head() const;

private:
    base::Result<Framing> parse_head();

    HeadText text_;
    RequestHead head_;
    BodyDecoder body_;
    bool is_head_complete_ = false;
};

class ResponseParser {
public:
    explicit ResponseParser(ParserLimits limits) : text_(limits) {}

    ResponseParser(const ResponseParser&) = delete;  // its heads point into it
    ResponseParser& operator=(const ResponseParser&) = delete;

    // `method` is that of the request this answers; an answer to HEAD has no body.
    void start(Method method);

    base::Result<ParseStep> parse(std::string_view bytes);

    // The connection ended. Whether that completes the message (a body that lasts until close).
    [[nodiscard]] bool finish_at_close() const {
        return is_head_complete_ && body_.ends_at_close();
    }

    [[nodiscard]] const ResponseHead& head() const;

private:
    base::Result<Framing> parse_head();

    HeadText text_;
    ResponseHead head_;
    BodyDecoder body_;
    Method method_ = Method::get;
    bool is_head_complete_ = false;
};

}  // namespace http
