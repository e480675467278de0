// Bytes in, heads and body pieces out: incremental HTTP/1.1 parsers without I/O. Beast's basic_parser does the grammar;
// framing is decided by framing.hpp.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/error.hpp"
#include "http/message.hpp"

namespace http {

struct ParserLimits {
    std::size_t max_head_bytes = 64UL * 1024;
    std::size_t max_fields = 256;
};

// Trailers and one chunk header may not be longer than this; both are dropped.
inline constexpr std::size_t kMaxTrailerBytes = 8UL * 1024;

struct ParseStep {
    enum class Event {
        need_more,  // everything usable was consumed; call again with what is left plus more bytes
        head,       // the head is complete
        body,       // `body` holds a piece
        end,        // the message is complete
    };
    Event event = Event::need_more;
    std::size_t consumed = 0;
    std::string_view body;  // points into the bytes given
};

// One per connection, reused for message after message. Errors are invalid_argument (malformed or ambiguous) or
// exhausted (a limit); after one the connection must be closed.
class RequestParser {
public:
    explicit RequestParser(ParserLimits limits);
    ~RequestParser();
    RequestParser(RequestParser&&) noexcept;

    // Forgets the last message; its head's views end here.
    void start();

    base::Result<ParseStep> parse(std::string_view bytes);

    // From Event::head until start().
    [[nodiscard]] const RequestHead& head() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

class ResponseParser {
public:
    explicit ResponseParser(ParserLimits limits);
    ~ResponseParser();
    ResponseParser(ResponseParser&&) noexcept;

    // `method` is that of the request this answers; an answer to HEAD has no body.
    void start(Method method);

    base::Result<ParseStep> parse(std::string_view bytes);

    // The connection ended. Whether that completes the message (a body that lasts until close).
    [[nodiscard]] bool finish_at_close();

    [[nodiscard]] const ResponseHead& head() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace http
