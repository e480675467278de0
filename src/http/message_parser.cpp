#include "http/message_parser.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/ensure.hpp"
#include "http/framing.hpp"

#include <boost/beast/http/basic_parser.hpp>

namespace http {

namespace {

using ErrorCode = boost::beast::error_code;
using BeastView = boost::beast::string_view;

std::string_view to_view(BeastView text) {
    return {text.data(), text.size()};
}

constexpr std::size_t kKeptTextBytes = 8UL * 1024;

// What a parser collects, kept apart from Beast's object because that one must be made anew for every message.
struct Collected {
    struct Slice {
        std::size_t offset = 0;
        std::size_t size = 0;
    };

    struct FieldSlices {
        Slice name;
        Slice value;
    };

    void clear() {
        // One long head must not make an idle connection dear for ever.
        if (text.capacity() > kKeptTextBytes) {
            text = {};
        }
        text.clear();
        fields.clear();
        body = {};
        trailer_bytes = 0;
        is_head_complete = false;
        failure = nullptr;
        is_over_limit = false;
    }

    // Where `part` of the bytes now being parsed will stand in `text`.
    [[nodiscard]] Slice slice(std::string_view part) const {
        return {text.size() + static_cast<std::size_t>(part.data() - bytes.data()), part.size()};
    }

    // Whether a value goes on after the end of a line. Beast skips an empty first line, and joins others in a buffer of
    // its own.
    [[nodiscard]] bool is_folded(std::string_view name, std::string_view value) const {
        const bool is_joined =
            std::less<>()(value.data(), bytes.data()) || std::greater<>()(value.data(), bytes.data() + bytes.size());
        return is_joined || std::find(name.end(), value.begin(), '\n') != value.begin();
    }

    [[nodiscard]] std::string_view view(Slice part) const {
        return std::string_view(text).substr(part.offset, part.size);
    }

    void copy_fields_to(Fields& copy) const {
        copy.clear();
        for (const FieldSlices& field : fields) {
            copy.add(view(field.name), view(field.value));
        }
    }

    std::string_view bytes;  // given to the parser now
    std::string text;        // of the head so far
    Slice start_word;        // method or reason
    Slice target;            // of a request
    unsigned status = 0;
    unsigned minor_version = 1;
    std::vector<FieldSlices> fields;
    std::string_view body;
    std::size_t trailer_bytes = 0;
    bool is_head_complete = false;
    const char* failure = nullptr;
    bool is_over_limit = false;
};

template <bool isRequest>
class BeastParser final : public boost::beast::http::basic_parser<isRequest> {
public:
    BeastParser(Collected& collected, const ParserLimits& limits) : collected_(collected), limits_(limits) {
        this->eager(false);
        this->body_limit(boost::none);
        this->header_limit(static_cast<std::uint32_t>(limits.max_head_bytes));
    }

private:
    void refuse(const char* why, bool is_over_limit, ErrorCode& error) {
        collected_.failure = why;
        collected_.is_over_limit = is_over_limit;
        error = boost::beast::http::error::bad_value;
    }

    void on_request_impl(boost::beast::http::verb /*verb*/,
                         BeastView method,
                         BeastView target,
                         int version,
                         ErrorCode& /*error*/) override {
        collected_.start_word = collected_.slice(to_view(method));
        collected_.target = collected_.slice(to_view(target));
        collected_.minor_version = static_cast<unsigned>(version % 10);
    }

    void on_response_impl(int code, BeastView reason, int version, ErrorCode& /*error*/) override {
        collected_.status = static_cast<unsigned>(code);
        collected_.start_word = collected_.slice(to_view(reason));
        collected_.minor_version = static_cast<unsigned>(version % 10);
    }

    void on_field_impl(boost::beast::http::field /*field*/,
                       BeastView name,
                       BeastView value,
                       ErrorCode& error) override {
        if (collected_.is_head_complete) {
            collected_.trailer_bytes += name.size() + value.size() + 4;
            if (collected_.trailer_bytes > kMaxTrailerBytes) {
                refuse("the trailers are too long", true, error);
            }
            return;
        }
        if (collected_.fields.size() == limits_.max_fields) {
            return refuse("the head has too many fields", true, error);
        }
        if (collected_.is_folded(to_view(name), to_view(value))) {
            // RFC 9112, section 5.2, lets a server refuse it.
            return refuse("a field value must not continue on the next line", false, error);
        }
        collected_.fields.push_back({collected_.slice(to_view(name)), collected_.slice(to_view(value))});
    }

    void on_header_impl(ErrorCode& /*error*/) override {
        collected_.is_head_complete = true;
    }

    void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/, ErrorCode& /*error*/) override {}

    std::size_t on_body_impl(BeastView piece, ErrorCode& /*error*/) override {
        collected_.body = to_view(piece);
        return piece.size();
    }

    void on_chunk_header_impl(std::uint64_t /*size*/, BeastView extension, ErrorCode& error) override {
        // Beast lets a quoted value run over the end of the line.
        if (extension.find_first_of("\r\n") != BeastView::npos || extension.size() > 256) {
            refuse("chunk extensions must be short and on one line", false, error);
        }
    }

    std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, BeastView piece, ErrorCode& /*error*/) override {
        collected_.body = to_view(piece);
        return piece.size();
    }

    void on_finish_impl(ErrorCode& /*error*/) override {}

    Collected& collected_;
    const ParserLimits& limits_;
};

base::Error to_error(const Collected& collected, const ErrorCode& error) {
    if (collected.failure != nullptr) {
        return {collected.is_over_limit ? base::Code::exhausted : base::Code::invalid_argument, collected.failure};
    }
    if (error == boost::beast::http::error::header_limit) {
        return {base::Code::exhausted, "the head is too long"};
    }
    return {base::Code::invalid_argument, "malformed HTTP: " + error.message()};
}

// Drives `parser` until it has something to tell. `on_head` completes the head and may refuse it.
template <bool isRequest, class OnHead>
base::Result<ParseStep> parse_some(BeastParser<isRequest>& parser,
                                   Collected& collected,
                                   const ParserLimits& limits,
                                   std::string_view bytes,
                                   OnHead on_head) {
    ParseStep step;
    const bool was_head_complete = collected.is_head_complete;
    collected.body = {};
    while (!parser.is_done() && collected.body.empty() && collected.is_head_complete == was_head_complete) {
        const std::string_view input = bytes.substr(step.consumed);
        if (input.empty()) {
            return step;
        }
        ErrorCode error;
        collected.bytes = input;
        const std::size_t used = parser.put({input.data(), input.size()}, error);
        step.consumed += used;
        if (!was_head_complete) {
            collected.text.append(input.substr(0, used));
            const std::size_t unused = error == boost::beast::http::error::need_more ? bytes.size() - step.consumed : 0;
            if (collected.text.size() + unused > limits.max_head_bytes) {
                return base::fail(base::Code::exhausted, "the head is too long");
            }
        } else if (error == boost::beast::http::error::need_more && bytes.size() - step.consumed > kMaxTrailerBytes) {
            return base::fail(base::Code::exhausted, "a chunk header or the trailers are too long");
        }
        if (error == boost::beast::http::error::need_more) {
            return step;
        }
        if (error) {
            return std::unexpected(to_error(collected, error));
        }
    }
    if (!was_head_complete) {
        base::Result<void> verdict = on_head();
        if (!verdict) {
            return std::unexpected(std::move(verdict.error()));
        }
        step.event = ParseStep::Event::head;
    } else if (!collected.body.empty()) {
        step.event = ParseStep::Event::body;
        step.body = collected.body;
    } else {
        step.event = ParseStep::Event::end;
    }
    return step;
}

}  // namespace

struct RequestParser::State {
    ParserLimits limits;
    Collected collected;
    std::optional<BeastParser<true>> parser;
    RequestHead head;

    base::Result<void> complete_head() {
        collected.copy_fields_to(head.fields);
        head.method_text = collected.view(collected.start_word);
        head.method = to_method(head.method_text);
        head.target = collected.view(collected.target);
        head.minor_version = collected.minor_version;
        return validate_framing(head);
    }
};

RequestParser::RequestParser(ParserLimits limits) : state_(std::make_unique<State>()) {
    state_->limits = limits;
    start();
}

RequestParser::~RequestParser() = default;
RequestParser::RequestParser(RequestParser&&) noexcept = default;

void RequestParser::start() {
    state_->collected.clear();
    state_->parser.emplace(state_->collected, state_->limits);
}

base::Result<ParseStep> RequestParser::parse(std::string_view bytes) {
    State& state = *state_;
    return parse_some(*state.parser, state.collected, state.limits, bytes, [&state] { return state.complete_head(); });
}

const RequestHead& RequestParser::head() const {
    ENSURE(state_->collected.is_head_complete, "the head is asked for after Event::head");
    return state_->head;
}

struct ResponseParser::State {
    ParserLimits limits;
    Collected collected;
    std::optional<BeastParser<false>> parser;
    ResponseHead head;
    Method method = Method::get;

    base::Result<void> complete_head() {
        collected.copy_fields_to(head.fields);
        head.reason = collected.view(collected.start_word);
        head.status = collected.status;
        head.minor_version = collected.minor_version;
        return validate_framing(head, method);
    }
};

ResponseParser::ResponseParser(ParserLimits limits) : state_(std::make_unique<State>()) {
    state_->limits = limits;
    start(Method::get);
}

ResponseParser::~ResponseParser() = default;
ResponseParser::ResponseParser(ResponseParser&&) noexcept = default;

void ResponseParser::start(Method method) {
    state_->method = method;
    state_->collected.clear();
    state_->parser.emplace(state_->collected, state_->limits);
    state_->parser->skip(method == Method::head);
}

base::Result<ParseStep> ResponseParser::parse(std::string_view bytes) {
    State& state = *state_;
    return parse_some(*state.parser, state.collected, state.limits, bytes, [&state] { return state.complete_head(); });
}

bool ResponseParser::finish_at_close() {
    if (!state_->collected.is_head_complete) {
        return false;
    }
    ErrorCode error;
    state_->parser->put_eof(error);
    return !error;
}

const ResponseHead& ResponseParser::head() const {
    ENSURE(state_->collected.is_head_complete, "the head is asked for after Event::head");
    return state_->head;
}

}  // namespace http
