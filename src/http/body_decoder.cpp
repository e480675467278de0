#include "http/body_decoder.hpp"

#include <algorithm>

#include "http/grammar.hpp"

namespace http {

void BodyDecoder::start(const Framing& framing) {
    left_ = framing.length;
    trailer_bytes_ = 0;
    switch (framing.kind) {
        case Framing::Kind::none:
            state_ = State::complete;
            break;
        case Framing::Kind::length:
            state_ = State::length;
            break;
        case Framing::Kind::chunked:
            state_ = State::chunk_line;
            break;
        case Framing::Kind::until_close:
            state_ = State::until_close;
            break;
    }
}

base::Result<ParseStep> BodyDecoder::decode(std::string_view bytes) {
    switch (state_) {
        case State::complete:
            return ParseStep{ParseStep::Event::end, 0, {}};
        case State::length:
            return take_piece(bytes, 0);
        case State::until_close:
            return bytes.empty() ? ParseStep{} : ParseStep{ParseStep::Event::body, bytes.size(), bytes};
        case State::chunk_line:
        case State::chunk:
        case State::chunk_end:
        case State::trailers:
            break;
    }
    return decode_chunked(bytes);
}

ParseStep BodyDecoder::take_piece(std::string_view bytes, std::size_t consumed) {
    const std::string_view piece = bytes.substr(consumed, std::min<std::uint64_t>(left_, bytes.size() - consumed));
    if (piece.empty()) {
        return {ParseStep::Event::need_more, consumed, {}};
    }
    left_ -= piece.size();
    if (left_ == 0) {
        state_ = state_ == State::chunk ? State::chunk_end : State::complete;
    }
    return {ParseStep::Event::body, consumed + piece.size(), piece};
}

base::Result<ParseStep> BodyDecoder::decode_chunked(std::string_view bytes) {
    std::size_t consumed = 0;
    while (state_ != State::complete) {
        if (state_ == State::chunk) {
            return take_piece(bytes, consumed);
        }
        const std::size_t newline = bytes.find('\n', consumed);
        if (newline == std::string_view::npos) {
            if (bytes.size() - consumed > kMaxTrailerBytes) {
                return base::fail(base::Code::exhausted, "a chunk header or the trailers are too long");
            }
            return ParseStep{ParseStep::Event::need_more, consumed, {}};
        }
        const std::string_view line = bytes.substr(consumed, newline - consumed);
        const bool ends_with_crlf = line.ends_with('\r');
        const base::Result<void> read = read_line(line.substr(0, line.size() - (ends_with_crlf ? 1 : 0)));
        if (!read) {
            return std::unexpected(read.error());
        }
        if (!ends_with_crlf) {
            return base::fail(base::Code::invalid_argument, "every line of a chunked body must end with CRLF");
        }
        consumed = newline + 1;
    }
    return ParseStep{ParseStep::Event::end, consumed, {}};
}

base::Result<void> BodyDecoder::read_line(std::string_view line) {
    if (state_ == State::chunk_end) {
        if (!line.empty()) {
            return base::fail(base::Code::invalid_argument, "a chunk is longer than its size says");
        }
        state_ = State::chunk_line;
        return {};
    }
    if (state_ == State::chunk_line) {
        const base::Result<std::uint64_t> size = parse_chunk_line(line);
        if (!size) {
            return std::unexpected(size.error());
        }
        left_ = *size;
        state_ = *size == 0 ? State::trailers : State::chunk;
        return {};
    }
    if (line.empty()) {
        state_ = State::complete;
        return {};
    }
    trailer_bytes_ += line.size() + 2;
    if (trailer_bytes_ > kMaxTrailerBytes) {
        return base::fail(base::Code::exhausted, "the trailers are too long");
    }
    const base::Result<Field> trailer = parse_field_line(line);
    if (!trailer) {
        return std::unexpected(trailer.error());
    }
    const FieldName name = to_field_name(trailer->name);
    if (name == FieldName::content_length || name == FieldName::transfer_encoding) {
        return base::fail(base::Code::invalid_argument, "framing comes too late in a trailer");
    }
    return {};
}

}  // namespace http
