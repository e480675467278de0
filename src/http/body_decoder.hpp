// Where the body of a message ends, and what its bytes are once the framing is taken off.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.hpp"
#include "http/message.hpp"

namespace http {

// A chunk's first line may not be longer than this, nor all trailers together. Both are dropped.
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

// Pure; one body after the other.
class BodyDecoder {
public:
    void start(const Framing& framing);

    // Gives body, end or need_more. Errors: invalid_argument for malformed chunks, exhausted for endless ones.
    base::Result<ParseStep> decode(std::string_view bytes);

    // The connection ended. Whether that is an end of the body.
    [[nodiscard]] bool ends_at_close() const {
        return state_ == State::until_close || state_ == State::complete;
    }

private:
    enum class State { complete, length, until_close, chunk_line, chunk, chunk_end, trailers };

    base::Result<ParseStep> decode_chunked(std::string_view bytes);
    ParseStep take_piece(std::string_view bytes, std::size_t consumed);
    base::Result<void> read_line(std::string_view line);

    State state_ = State::complete;
    std::uint64_t left_ = 0;  // of the length, or of the chunk
    std::size_t trailer_bytes_ = 0;
};

}  // namespace http
