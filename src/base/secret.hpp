// Text that must never be printed.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace base {

// Holds a password, token or key. It has no operator<< and no formatter, so it cannot reach a log, a metric or an error
// by accident; reveal() marks the few places that need the text.
class Secret {
public:
    Secret() = default;

    explicit Secret(std::string text) : text_(std::move(text)) {}

    [[nodiscard]] const std::string& reveal() const {
        return text_;
    }

    [[nodiscard]] bool is_empty() const {
        return text_.empty();
    }

private:
    std::string text_;
};

}  // namespace base
