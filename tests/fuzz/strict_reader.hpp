// A reader of HTTP/1.1 messages that shares nothing with the product: RFC 9112 to the letter, and nothing beyond it.
// What it reads is what any other implementation reads.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

struct StrictField {
    std::string name;  // in lower case
    std::string value;
};

struct StrictMessage {
    std::string start_line;
    std::vector<StrictField> fields;
    std::string body;
    bool lasts_until_close = false;
};

enum class StrictKind { request, answer, answer_without_body };

// Takes the first message off `stream`; nothing when it is malformed or incomplete. An answer without any framing takes
// all the rest.
std::optional<StrictMessage> read_strictly(std::string_view& stream, StrictKind kind);

}  // namespace fuzz
