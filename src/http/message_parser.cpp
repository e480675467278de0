#include "http/message_parser.hpp"

#include <utility>

#include "base/ensure.hpp"
#include "http/framing.hpp"
#include "http/grammar.hpp"

namespace http {

namespace {

constexpr std::size_t kKeptTextBytes = 8UL * 1024;

// `parse_head` makes sense of text.text() and gives the framing of what follows.
template <class ParseHead>
base::Result<ParseStep> parse_message(
    std::string_view bytes, HeadText& text, bool& is_head_complete, BodyDecoder& body, ParseHead parse_head) {
    if (is_head_complete) {
        return body.decode(bytes);
    }
    const base::Result<bool> is_collected = text.collect(bytes);
    if (!is_collected) {
        return std::unexpected(is_collected.error());
    }
    if (!*is_collected) {
        return ParseStep{};
    }
    const base::Result<Framing> framing = parse_head();
    if (!framing) {
        return std::unexpected(framing.error());
    }
    is_head_complete = true;
    body.start(*framing);
    return ParseStep{ParseStep::Event::head, text.text().size(), {}};
}

}  // namespace

void HeadText::clear() {
    // One long head must not make an idle connection dear for ever.
    if (text_.capacity() > kKeptTextBytes) {
        text_ = {};
    }
    line_begin_ = searched_ = 0;
}

base::Result<bool> HeadText::collect(std::string_view bytes) {
    if (!bytes.empty() && !is_token_character(bytes.front())) {
        return base::fail(base::Code::invalid_argument, "this is no HTTP: a message begins with its first line");
    }
    std::size_t size = 0;
    while (size == 0) {
        const std::size_t newline = bytes.find('\n', searched_);
        if (newline == std::string_view::npos) {
            searched_ = bytes.size();
            break;
        }
        if (newline == line_begin_ || bytes[newline - 1] != '\r') {
            return base::fail(base::Code::invalid_argument, "every line of a head must end with CRLF");
        }
        const bool is_blank = newline == line_begin_ + 1;
        line_begin_ = searched_ = newline + 1;
        size = is_blank ? line_begin_ : 0;
    }
    if ((size == 0 ? bytes.size() : size) > limits_.max_head_bytes) {
        return base::fail(base::Code::exhausted, "the head is too long");
    }
    if (size > 0) {
        text_.assign(bytes.substr(0, size));
    }
    return size > 0;
}

std::string_view HeadText::take_line(std::string_view& rest) {
    const std::size_t newline = rest.find('\n');
    const std::string_view line = rest.substr(0, newline - 1);
    rest.remove_prefix(newline + 1);
    return line;
}

base::Result<void> HeadText::parse_fields(std::string_view rest, Fields& fields) const {
    fields.clear();
    for (std::string_view line = take_line(rest); !line.empty(); line = take_line(rest)) {
        if (fields.size() == limits_.max_fields) {
            return base::fail(base::Code::exhausted, "the head has too many fields");
        }
        const base::Result<Field> field = parse_field_line(line);
        if (!field) {
            return std::unexpected(field.error());
        }
        fields.add(field->name, field->value);
    }
    return {};
}

void RequestParser::start() {
    text_.clear();
    is_head_complete_ = false;
}

base::Result<Framing> RequestParser::parse_head() {
    std::string_view rest = text_.text();
    const base::Result<RequestLine> line = parse_request_line(HeadText::take_line(rest));
    if (!line) {
        return std::unexpected(line.error());
    }
    head_.method_text = line->method;
    head_.method = to_method(line->method);
    head_.target = line->target;
    head_.minor_version = line->minor_version;
    base::Result<void> result = text_.parse_fields(rest, head_.fields);
    if (result) {
        result = validate_framing(head_);
    }
    return result ? base::Result<Framing>(head_.framing) : std::unexpected(std::move(result.error()));
}

base::Result<ParseStep> RequestParser::parse(std::string_view bytes) {
    return parse_message(bytes, text_, is_head_complete_, body_, [this] { return parse_head(); });
}

const RequestHead& RequestParser::head() const {
    ENSURE(is_head_complete_, "the head is asked for after Event::head");
    return head_;
}

void ResponseParser::start(Method method) {
    method_ = method;
    text_.clear();
    is_head_complete_ = false;
}

base::Result<Framing> ResponseParser::parse_head() {
    std::string_view rest = text_.text();
    const base::Result<StatusLine> line = parse_status_line(HeadText::take_line(rest));
    if (!line) {
        return std::unexpected(line.error());
    }
    head_.status = line->status;
    head_.reason = line->reason;
    head_.minor_version = line->minor_version;
    base::Result<void> result = text_.parse_fields(rest, head_.fields);
    if (result) {
        result = validate_framing(head_, method_);
    }
    return result ? base::Result<Framing>(head_.framing) : std::unexpected(std::move(result.error()));
}

base::Result<ParseStep> ResponseParser::parse(std::string_view bytes) {
    return parse_message(bytes, text_, is_head_complete_, body_, [this] { return parse_head(); });
}

const ResponseHead& ResponseParser::head() const {
    ENSURE(is_head_complete_, "the head is asked for after Event::head");
    return head_;
}

}  // namespace http
