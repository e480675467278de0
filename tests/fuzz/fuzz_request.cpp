// The request parser: any split of the bytes must tell the same story, and what it accepts must be framed without doubt.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/strings.hpp"
#include "http/message_parser.hpp"

namespace {

// Everything the parser said, as text.
std::string tell(std::string_view bytes, std::size_t step) {
    http::RequestParser parser({});
    std::string story;
    std::string pending;
    std::size_t given = 0;
    for (;;) {
        const base::Result<http::ParseStep> result = parser.parse(pending);
        if (!result) {
            return story + "refused";
        }
        switch (result->event) {
            case http::ParseStep::Event::need_more:
                break;
            case http::ParseStep::Event::head:
                story += std::string(parser.head().method_text) + " " + std::string(parser.head().target) + "\n";
                for (const http::Field& field : parser.head().fields) {
                    story += std::string(field.name) + ": " + std::string(field.value) + "\n";
                }
                break;
            case http::ParseStep::Event::body:
                story += result->body;
                break;
            case http::ParseStep::Event::end:
                return story + "complete";
        }
        pending.erase(0, result->consumed);
        if (result->event != http::ParseStep::Event::need_more) {
            continue;
        }
        if (given == bytes.size()) {
            return story + "incomplete";
        }
        const std::size_t size = std::min(step, bytes.size() - given);
        pending += bytes.substr(given, size);
        given += size;
    }
}

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

void require_clear_framing(std::string_view bytes) {
    http::RequestParser parser({});
    const base::Result<http::ParseStep> result = parser.parse(bytes);
    if (!result || result->event != http::ParseStep::Event::head) {
        return;
    }
    const http::RequestHead& head = parser.head();
    const bool has_encoding = head.fields.count("transfer-encoding") > 0;
    require(head.fields.count("content-length") <= 1);
    require(!has_encoding || head.fields.count("content-length") == 0);
    require(has_encoding == (head.framing.kind == http::Framing::Kind::chunked));
    require(head.fields.count("host") <= 1);
    require(head.path.starts_with('/') || head.path == "*");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    require_clear_framing(bytes);
    require(tell(bytes, size) == tell(bytes, 1 + bytes.front() % 7U));
    return 0;
}
